use crate::choice::{OnBudget, OnOverLimit, WafMode};
use crate::section::section;
use std::path::PathBuf;

section! {
    /// The web application firewall and the request rate of a client.
    Waf = "waf" {
        /// Whether requests are inspected.
        enable: bool = true;
        /// `block` acts on what the rules find; `monitor` only logs it.
        mode: WafMode = WafMode::Block;
        /// The rules, JSON. Not given: the rules built into the program. Read again at every reload.
        rules_path: Option<PathBuf> = None;
        /// Files of SecLang rules (ModSecurity's language), or patterns of files, read in this order after `[waf.crs]`. Read
        /// again at every reload.
        include: Vec<PathBuf> = Vec::new();
        /// Whether rules of severity low and medium act; `false`: they only log.
        block_suspicious: bool = true;
        /// Requests that one client (an IPv4 address, an IPv6 /64) may make each second, with a burst of twice as
        /// many; more are answered 429 with `Retry-After`. 0: no limit.
        rate_limit_rps: u64 = 0 => unit("requests/s"), range(0.0, 1_000_000_000.0);
        /// How much of a body is inspected before the request goes on.
        /// What may be uploaded is another limit, `limits.body_bytes_max`.
        inspect_body_limit: usize = 131_072 => unit("bytes"), range(1024.0, 1_073_741_824.0);
        /// Memory that all bodies under inspection may take together. While it is used up, further requests with
        /// a body to inspect are answered 503.
        body_memory_budget: usize = 67_108_864 => unit("bytes"), range(65_536.0, 1_099_511_627_776.0);
        /// What happens to a body longer than `inspect_body_limit`: `pass` inspects its first part and lets the rest
        /// stream, `block` answers 413.
        on_body_over_limit: OnOverLimit = OnOverLimit::Pass;
        /// How much of `body_memory_budget` one client (an IPv4 address, an IPv6 /64) may hold; beyond, its requests with
        /// a body to inspect are answered 503. Not given: this, or as much as one body needs, within the budget.
        body_memory_per_client: usize = 8_388_608 => unit("bytes"), range(1024.0, 1_099_511_627_776.0);
        /// How many times larger than what was sent a decompressed request body may be; one beyond is stopped.
        compression_ratio_max: u64 = 100 => range(1.0, 10_000.0);
        /// Codings that may be stacked on a request body (`Content-Encoding: gzip, br` are two); more are answered 415.
        /// 0: compressed bodies of inspected types are answered 415.
        compression_layers_max: usize = 2 => range(0.0, 8.0);
        /// How much of an answer's body SecLang rules see; what is longer streams on after its first part was looked at. 0:
        /// bodies of answers are not looked at.
        inspect_response_limit: usize = 131_072 => unit("bytes"), range(0.0, 1_073_741_824.0);
        /// The media types of answers whose bodies SecLang rules see. All others, event streams among them, are never held.
        inspect_response_types: Vec<String> =
            ["text/plain", "text/html", "text/xml"].map(String::from).to_vec();
        /// The work that rules may spend on one request, about one for each byte that is scanned in each form.
        work_budget: u64 = 100_000_000 => range(10_000.0, 1_000_000_000_000.0);
        /// What happens to a request on which `work_budget` is used up: `block` answers 403, `pass` lets it go on, looked at
        /// no further. Either is told as an event.
        on_budget: OnBudget = OnBudget::Block;
    }
}
