//! Who may import whom. A crate that is not here is refused, and so is an edge: adding either is a decision about the
//! architecture, made here and explained in ARCHITECTURE.md.

/// A crate of this workspace, and the crates of this workspace that it may import.
pub const DIRECTIONS: &[(&str, &[&str])] = &[
    // The vocabulary.
    ("secbeat-types", &[]),
    // Configuration and what an operator reads.
    ("secbeat-settings", &["secbeat-types"]),
    ("secbeat-telemetry", &["secbeat-types"]),
    // Pure cores.
    ("secbeat-http1", &["secbeat-types"]),
    ("secbeat-pattern", &[]),
    ("secbeat-injection", &[]),
    ("secbeat-transform", &[]),
    ("secbeat-seclang", &["secbeat-transform"]),
    ("secbeat-engine", &["secbeat-seclang", "secbeat-pattern", "secbeat-injection", "secbeat-transform"]),
    (
        "secbeat-waf",
        &["secbeat-types", "secbeat-seclang", "secbeat-engine", "secbeat-pattern", "secbeat-transform"],
    ),
    ("secbeat-intel", &["secbeat-types"]),
    // What every listener and every proxy share.
    ("secbeat-edge", &["secbeat-types", "secbeat-settings", "secbeat-telemetry"]),
    ("secbeat-upstream", &["secbeat-types", "secbeat-settings", "secbeat-telemetry"]),
    // The data plane.
    (
        "secbeat-l7",
        &[
            "secbeat-types",
            "secbeat-settings",
            "secbeat-telemetry",
            "secbeat-http1",
            "secbeat-waf",
            "secbeat-intel",
            "secbeat-edge",
            "secbeat-upstream",
        ],
    ),
    // Programs: composition only. Nothing imports them.
    (
        "mitigation-node",
        &[
            "secbeat-types",
            "secbeat-settings",
            "secbeat-telemetry",
            "secbeat-waf",
            "secbeat-intel",
            "secbeat-edge",
            "secbeat-upstream",
            "secbeat-l7",
        ],
    ),
    ("secbeat", &[]),
    // Beside the product: whole programs from outside, benchmarks, these checks.
    ("secbeat-tests", &[]),
    // Writes journals as large as no API call makes them.
    ("secbeat-bench", &["secbeat-types", "secbeat-intel"]),
    // Runs the regression cases of rule sets against the firewall itself.
    ("xtask", &["secbeat-types", "secbeat-http1", "secbeat-seclang", "secbeat-engine", "secbeat-waf"]),
];

/// Crates whose cores are pure: no sockets, no runtime, no clock of their own.
pub const PURE: &[&str] = &[
    "secbeat-types",
    "secbeat-http1",
    "secbeat-pattern",
    "secbeat-injection",
    "secbeat-transform",
    "secbeat-seclang",
    "secbeat-engine",
    "secbeat-waf",
];

/// What a pure crate does not import.
pub const IMPURE: &[&str] = &["tokio", "mio", "socket2", "rustix", "libc", "hyper", "rustls"];

/// What is linked nowhere, and why.
pub const BANNED: &[(&str, &str)] = &[
    ("ring", "one cryptographic library is enough to audit: aws-lc-rs"),
    ("openssl", "TLS is rustls; nothing of the system's is linked"),
    ("openssl-sys", "TLS is rustls; nothing of the system's is linked"),
    ("native-tls", "TLS is rustls; nothing of the system's is linked"),
    ("tikv-jemallocator", "the allocator is mimalloc"),
    ("jemallocator", "the allocator is mimalloc"),
    ("snmalloc-rs", "the allocator is mimalloc"),
    ("async-std", "the runtime is tokio"),
    ("smol", "the runtime is tokio"),
    ("glommio", "the runtime is tokio"),
    ("monoio", "the runtime is tokio"),
];
