//! What the requests for one host are held against, and which host has which.

use crate::host;
use crate::pages::Pages;
use secbeat_settings::{HostPattern, OnOverLimit, Settings, SiteMode, WafMode};
use secbeat_waf::{Csrf, RuleSet, Scope, ScopeError};
use std::collections::HashMap;
use std::sync::Arc;

/// What the requests for one host are held against.
pub struct Site {
    /// Its name in logs and calls; `default` for hosts that no `[[sites]]` names.
    pub name: Arc<str>,
    /// The methods that are let through.
    pub methods: Vec<String>,
    /// The longest body that is let through, in bytes.
    pub body_bytes_max: u64,
    /// The firewall, where it is on.
    pub waf: Option<WafPolicy>,
    /// The pages that tell a client that its request went no further.
    pub pages: Pages,
}

/// The firewall's part of a site.
pub struct WafPolicy {
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// Which of them act here, and whether they may stop a request.
    pub scope: Scope,
    /// The same where the kill switch is at `monitor`.
    pub watching: Scope,
    /// The check for requests that other sites have a browser send, where it is on.
    pub csrf: Option<Csrf>,
    /// How much of a body is inspected, in bytes.
    pub inspect_bytes_max: usize,
    /// Whether a longer body is refused; otherwise its first part is inspected and the rest streams.
    pub refuses_longer: bool,
    /// Content codings that may lie over each other; 0: none at all.
    pub coding_layers_max: usize,
    /// Bytes that one byte of a compressed body may become.
    pub coding_ratio_max: u64,
}

/// The name of the site of all other hosts.
pub const DEFAULT: &str = "default";

impl Site {
    /// The site that the sections, and `site` over them, describe.
    ///
    /// # Errors
    /// What is wrong with it: a rule that is to be out of force and is not there, an origin that is none.
    pub fn new(
        settings: &Settings,
        site: Option<&secbeat_settings::Site>,
        rules: Arc<RuleSet>,
        pages: Pages,
    ) -> Result<Self, String> {
        let waf = &settings.waf;
        let of_site = |key: &str, error: String| {
            site.map_or_else(|| error.clone(), |site| format!("sites.{}.{key}: {error}", site.label()))
        };
        let mode = site.and_then(|site| site.waf_mode).unwrap_or(match (waf.enable, waf.mode) {
            (false, _) => SiteMode::Off,
            (true, WafMode::Block) => SiteMode::Block,
            (true, WafMode::Monitor) => SiteMode::Monitor,
        });
        let disabled = site.map_or(&[][..], |site| &site.rules_disabled);
        let scope = |monitor| {
            let error = |error: ScopeError| of_site("rules_disabled", error.to_string());
            rules.scope(monitor, disabled).map_err(error)
        };
        let csrf = site.and_then(|site| site.csrf).unwrap_or(settings.csrf.enable);
        let csrf = csrf.then(|| csrf_check(settings)).transpose();
        let waf = WafPolicy {
            scope: scope(mode == SiteMode::Monitor)?,
            watching: scope(true)?,
            csrf: csrf.map_err(|error| of_site("csrf", error))?,
            inspect_bytes_max: site
                .and_then(|site| site.inspect_body_limit)
                .unwrap_or(waf.inspect_body_limit),
            refuses_longer: waf.on_body_over_limit == OnOverLimit::Block,
            coding_layers_max: waf.compression_layers_max,
            coding_ratio_max: waf.compression_ratio_max,
            rules,
        };
        let methods = site.and_then(|site| site.methods.as_ref()).unwrap_or(&settings.limits.methods);
        Ok(Site {
            name: site.map_or_else(|| DEFAULT.into(), |site| site.label().into()),
            methods: methods.iter().map(|method| method.as_str().to_owned()).collect(),
            body_bytes_max: site
                .and_then(|site| site.body_bytes_max)
                .unwrap_or(settings.limits.body_bytes_max),
            waf: (mode != SiteMode::Off).then_some(waf),
            pages,
        })
    }
}

fn csrf_check(settings: &Settings) -> Result<Csrf, String> {
    let csrf = &settings.csrf;
    let origins: Vec<String> = csrf.allowed_origins.iter().map(|origin| origin.as_str().to_owned()).collect();
    Csrf::new(csrf.mode == WafMode::Monitor, &origins, &csrf.exempt_paths, csrf.require)
}

/// Which host has which site.
pub struct Sites {
    /// The first is that of all hosts that no other names.
    sites: Vec<Site>,
    exact: HashMap<String, usize>,
    /// Parents of names, the longest first.
    parents: Vec<(HostPattern, usize)>,
}

impl Sites {
    /// `default` for all hosts but those of `others`.
    pub fn new(default: Site, others: Vec<(Vec<HostPattern>, Site)>) -> Self {
        let mut sites = vec![default];
        let (mut exact, mut parents) = (HashMap::new(), Vec::new());
        for (hosts, site) in others {
            for pattern in hosts {
                match pattern {
                    HostPattern::Exact(name) => drop(exact.insert(name, sites.len())),
                    parent @ HostPattern::Suffix(_) => parents.push((parent, sites.len())),
                }
            }
            sites.push(site);
        }
        parents.sort_by_key(|(parent, _)| std::cmp::Reverse(parent.to_string().len()));
        Self { sites, exact, parents }
    }

    /// The number of the site of `authority` (`host[:port]`): the one that names the host, else the one with its longest parent,
    /// else 0.
    pub fn number_of(&self, authority: &[u8]) -> usize {
        if self.sites.len() == 1 {
            return 0;
        }
        let name = host::name(authority);
        let of_parent = || self.parents.iter().find(|(parent, _)| parent.matches(&name)).map(|(_, at)| *at);
        self.exact.get(&*name).copied().or_else(of_parent).unwrap_or(0)
    }

    /// The site of this number.
    pub fn at(&self, number: usize) -> &Site {
        // Numbers come from `number_of`; the first site is always there.
        self.sites.get(number).unwrap_or(&self.sites[0])
    }

    /// Every site, the default first.
    pub fn iter(&self) -> impl Iterator<Item = &Site> {
        self.sites.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(name: &str) -> Site {
        Site { name: name.into(), methods: Vec::new(), body_bytes_max: 0, waf: None, pages: Pages::default() }
    }

    #[test]
    fn the_site_that_names_the_host_wins_and_then_the_longest_parent() {
        let patterns = |texts: &[&str]| texts.iter().map(|text| HostPattern::parse(text).unwrap()).collect();
        let sites = Sites::new(
            site(DEFAULT),
            vec![
                (patterns(&["*.example"]), site("wide")),
                (patterns(&["*.shop.example"]), site("shops")),
                (patterns(&["a.shop.example", "192.0.2.1"]), site("a")),
            ],
        );
        for (authority, expected) in [
            ("A.shop.example:8443", "a"),
            ("a.shop.example.", "a"),
            ("b.shop.example", "shops"),
            ("shop.example", "wide"),
            ("example", DEFAULT),
            ("192.0.2.1:80", "a"),
            ("", DEFAULT),
        ] {
            assert_eq!(&*sites.at(sites.number_of(authority.as_bytes())).name, expected, "{authority}");
        }
    }
}
