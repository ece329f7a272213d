use crate::address::Method;
use crate::choice::WafMode;
use crate::pattern::{HostPattern, RateKey};
use crate::section::section;
use std::time::Duration;

section! {
    /// How often something may be asked for, beside `waf.rate_limit_rps`. One table for each limit, as many as needed;
    /// a request counts in every limit that is for it, in the order of the file, up to the first that refuses it (429
    /// with `Retry-After`).
    RateLimit = "rate_limits" {
        /// The name in logs and answers: lower-case letters, digits, `_` and `-`, at most 64. No two limits share one.
        name: String = String::new() => required();
        /// What is counted apart: requests that agree in all of these share one count. `address` is the client (an IPv6
        /// /64), `path` the path without its query; empty: all requests share one. A request without a named header or
        /// cookie is not counted.
        key: Vec<RateKey> = vec![RateKey::Address];
        /// Requests allowed in each `per`.
        requests: u64 = 1 => required(), range(1.0, 1_000_000_000.0);
        /// The time that `requests` are for.
        per: Duration = Duration::from_secs(1) => range(0.1, 86_400.0);
        /// Requests that may come at once. Not given: as many as `requests`.
        burst: Option<u64> = None => range(1.0, 1_000_000_000.0);
        /// The hosts it is for, as in `[[sites]]`; empty: all.
        hosts: Vec<HostPattern> = Vec::new();
        /// The paths it is for, as in rules: `/login` and all below it, `/api/*/search` with anything for `*`;
        /// empty: all.
        paths: Vec<String> = Vec::new();
        /// The methods it is for; empty: all.
        methods: Vec<Method> = Vec::new();
        /// `block` answers 429; `monitor` only logs.
        mode: WafMode = WafMode::Block;
    }
}

impl RateLimit {
    /// What the reference page shows of it.
    pub(crate) const EXAMPLE: &str = include_str!("rate_limit.toml");

    /// Its name in logs and answers.
    pub fn label(&self) -> String {
        self.name.clone()
    }
}
