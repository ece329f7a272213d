//! What no single key can know: keys that exclude, need or bound each other.

use crate::load::Loaded;
use crate::problem::Problem;

/// Adds to `problems` what does not fit together, and to the warnings of `loaded` what the operator should know.
pub(crate) fn check(loaded: &mut Loaded, problems: &mut Vec<Problem>) {
    let mut wrong = Vec::new();
    let settings = &loaded.settings;
    let server = &settings.server;

    let (site, api) = (server.bind_address, settings.metrics.bind_address);
    let everywhere = site.ip().is_unspecified();
    if settings.metrics.enable
        && site.port() == api.port()
        && (site.ip() == api.ip() || everywhere || api.ip().is_unspecified())
    {
        wrong.push((
            "metrics.bind_address",
            format!("takes the port of server.bind_address, {site}; give each its own"),
        ));
    }
    let backend = &server.backend_address;
    let is_here = backend.host() == "localhost"
        || backend
            .address()
            .is_some_and(|backend| backend.ip().is_loopback() || backend.ip().is_unspecified());
    if backend.port() == site.port()
        && (backend.address() == Some(site) || (is_here && (everywhere || site.ip().is_loopback())))
    {
        let message = format!("leads to server.bind_address, {site}: the node would call itself");
        wrong.push(("server.backend_address", message));
    }
    if settings.waf.inspect_body_limit > settings.waf.body_memory_budget {
        let budget = settings.waf.body_memory_budget;
        wrong.push((
            "waf.inspect_body_limit",
            format!("expected at most waf.body_memory_budget, {budget} bytes"),
        ));
    }
    if settings.limits.methods.is_empty() {
        wrong.push(("limits.methods", "expected at least one method, found none".into()));
    }
    if settings.tls.as_ref().is_some_and(|tls| tls.protocols.is_empty()) {
        wrong.push((
            "tls.protocols",
            "expected at least one of \"TLSv1.2\" and \"TLSv1.3\", found none".into(),
        ));
    }
    if let Some(orchestrator) = &settings.orchestrator {
        match (orchestrator.url.is_some(), orchestrator.urls.is_empty()) {
            (true, false) => wrong.push(("orchestrator.urls", "give url or urls, not both".into())),
            (false, true) => wrong.push((
                "orchestrator.url",
                "missing: expected a URL, such as \"http://orchestrator:9090\", or several in urls".into(),
            )),
            _ => {}
        }
        if let Some(pin) = &orchestrator.ca_pin
            && !(pin.len() == 64 && pin.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            wrong.push(("orchestrator.ca_pin", "expected SHA-256 in hex, 64 digits".into()));
        }
    }
    for (path, message) in wrong {
        let known = problems.iter().any(|problem| problem.key == path);
        if !known {
            problems.push(Problem::new(loaded.origins.get(path).cloned(), path, message));
        }
    }

    if settings.syn_proxy.enable && settings.syn_proxy.syn_cookie_secret.is_none() {
        loaded.warnings.push(format!(
            "syn_proxy.syn_cookie_secret is not given: a random one is made and kept in {}; \
             nodes that share an address need the same one",
            settings.server.data_dir.display()
        ));
    }
}
