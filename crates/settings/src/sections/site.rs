use crate::address::Method;
use crate::choice::SiteMode;
use crate::pattern::HostPattern;
use crate::section::section;
use std::path::PathBuf;

section! {
    /// What is different for some hosts. One table for each site, as many as needed; a request belongs to the site that
    /// names its host exactly, or else by the longest `*.` pattern. What a site does not give is as in the sections.
    Site = "sites" {
        /// The hosts, without a port: `shop.example`, or `*.shop.example` for every name below it. No host is in two
        /// sites.
        hosts: Vec<HostPattern> = Vec::new() => required();
        /// The name in logs and calls, of letters, digits, `.`, `_` and `-`, at most 64. Not given: the first host.
        name: Option<String> = None;
        /// In place of `waf.mode`; `off`: requests are not inspected.
        waf_mode: Option<SiteMode> = None;
        /// The rules, JSON, in place of those of `waf.rules_path`.
        rules_path: Option<PathBuf> = None;
        /// Rules that do not act here, by id.
        rules_disabled: Vec<String> = Vec::new();
        /// In place of `waf.rate_limit_rps`; counted for this site alone. 0: no limit.
        rate_limit_rps: Option<u64> = None => unit("requests/s"), range(0.0, 1_000_000_000.0);
        /// In place of `limits.body_bytes_max`.
        body_bytes_max: Option<u64> = None => unit("bytes"), range(0.0, 1_099_511_627_776.0);
        /// In place of `waf.inspect_body_limit`.
        inspect_body_limit: Option<usize> = None => unit("bytes"), range(1024.0, 1_073_741_824.0);
        /// In place of `limits.methods`.
        methods: Option<Vec<Method>> = None;
        /// In place of `waf.csrf.enable`.
        csrf: Option<bool> = None;
        /// In place of `error_pages.html`.
        error_page_html: Option<PathBuf> = None;
        /// In place of `error_pages.json`.
        error_page_json: Option<PathBuf> = None;
    }
}

impl Site {
    /// What the reference page shows of it.
    pub(crate) const EXAMPLE: &str = include_str!("site.toml");

    /// Its name in logs and calls: `name`, or the first host.
    pub fn label(&self) -> String {
        let host = || self.hosts.first().map(ToString::to_string).unwrap_or_default();
        self.name.clone().unwrap_or_else(host)
    }
}
