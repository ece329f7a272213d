//! Attack categories: one closed list, so that labels stay bounded.

use serde::{Deserialize, Serialize};

macro_rules! categories {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// What kind of attack a rule looks for. It is the value of the metric label `rule` and of the log field `attack_type`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Category { $($(#[$doc])* $variant),+ }

        impl Category {
            /// Every category, in declaration order; `category as usize` indexes it.
            pub const ALL: &'static [Category] = &[$(Category::$variant),+];

            /// The name in metrics, logs and rules, in snake case.
            pub const fn as_str(self) -> &'static str {
                match self { $(Category::$variant => $name),+ }
            }
        }
    };
}

categories! {
    /// Structured query language where a value was expected.
    SqlInjection = "sql_injection",
    /// Script in a page of somebody else's.
    Xss = "xss",
    /// A path that leaves its folder.
    PathTraversal = "path_traversal",
    /// A shell command in a value.
    CommandInjection = "command_injection",
    /// A request that the backend is tricked into making.
    Ssrf = "ssrf",
    /// Code that the backend is tricked into running (log4shell, template and deserialisation attacks).
    Rce = "rce",
    /// HTTP that is malformed or ambiguous.
    Protocol = "protocol",
    /// A tool that looks for weaknesses.
    Scanner = "scanner",
    /// A request forged from another site.
    Csrf = "csrf",
    /// A client that is a program and says it is a person.
    Bot = "bot",
    /// An answer that gives away what it should not.
    DataLeak = "data_leak",
    /// A client with a bad name.
    Reputation = "reputation",
    /// A flood of TCP SYN packets.
    SynFlood = "syn_flood",
    /// A flood of datagrams.
    UdpFlood = "udp_flood",
    /// A flood of requests.
    HttpFlood = "http_flood",
    /// More requests than a client is allowed.
    RateLimit = "rate_limit",
    /// A client that is slow on purpose.
    SlowClient = "slow_client",
    /// A country that is not let in.
    Geo = "geo",
    /// A rule that gives no category.
    Other = "other",
}
