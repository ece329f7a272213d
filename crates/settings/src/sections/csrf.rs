use crate::address::WebOrigin;
use crate::choice::WafMode;
use crate::section::section;

section! {
    /// Requests that another site makes a visitor's browser send. Unsafe methods are let through where `Sec-Fetch-Site`,
    /// `Origin` or `Referer` says that they come from the site itself.
    Csrf = "waf.csrf" {
        /// Whether the origin of requests is checked, where the firewall is on.
        enable: bool = false;
        /// `block` answers 403; `monitor` only logs.
        mode: WafMode = WafMode::Block;
        /// Further origins that requests may come from: `https://partner.example`, with a port where it is not the
        /// scheme's own.
        allowed_origins: Vec<WebOrigin> = Vec::new();
        /// Paths that are not checked, such as those that payment services call. As in rules: `/hooks` and all below
        /// it, `/api/*/callback` with anything for `*`.
        exempt_paths: Vec<String> = Vec::new();
        /// Whether a request that carries a cookie, and none of the three fields, is refused. Browsers send one;
        /// programs often do not.
        require: bool = false;
    }
}
