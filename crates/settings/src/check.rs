//! What no single key can know: keys that exclude, need or bound each other.

mod tables;

use crate::load::Loaded;
use crate::problem::Problem;
use crate::settings::Settings;
use std::collections::BTreeMap;

/// What is wrong: the path of a key, and why.
type Wrong = Vec<(String, String)>;

/// The longest path of a Unix socket, in bytes: `sun_path` of unix(7), less its final NUL.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Adds to `problems` what does not fit together, and to the warnings of `loaded` what the operator should know.
pub(crate) fn check(loaded: &mut Loaded, problems: &mut Vec<Problem>) {
    complete(loaded);
    let mut wrong = Wrong::new();
    let settings = &loaded.settings;
    addresses(settings, &mut wrong);
    waf(settings, &mut wrong);
    api(settings, &mut wrong);
    lists(settings, &mut wrong);
    orchestrator(settings, &mut wrong);
    tables::sites(settings, &mut wrong);
    tables::rate_limits(settings, &mut wrong);
    for (path, message) in wrong {
        if !problems.iter().any(|problem| problem.key == path) {
            problems.push(Problem::new(loaded.origins.get(&path).cloned(), path, message));
        }
    }
    warn(loaded);
}

/// Gives the defaults that depend on other keys, and writes in lower case what is compared so.
fn complete(loaded: &mut Loaded) {
    let waf = &mut loaded.settings.waf;
    if !loaded.origins.contains_key("waf.body_memory_per_client") {
        let one_body = waf.body_memory_per_client.max(waf.inspect_body_limit);
        waf.body_memory_per_client = one_body.min(waf.body_memory_budget);
    }
    let recorder = &mut loaded.settings.recorder;
    recorder.mask_headers.iter_mut().for_each(|name| *name = name.to_lowercase());
    recorder.mask_parameters.iter_mut().for_each(|name| *name = name.to_lowercase());
}

fn refuse(wrong: &mut Wrong, path: impl Into<String>, message: impl Into<String>) {
    wrong.push((path.into(), message.into()));
}

fn addresses(settings: &Settings, wrong: &mut Wrong) {
    let server = &settings.server;
    let (site, api) = (server.bind_address, settings.metrics.bind_address);
    let everywhere = site.ip().is_unspecified();
    if settings.metrics.enable
        && site.port() == api.port()
        && (site.ip() == api.ip() || everywhere || api.ip().is_unspecified())
    {
        let message = format!("takes the port of server.bind_address, {site}; give each its own");
        refuse(wrong, "metrics.bind_address", message);
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
        refuse(wrong, "server.backend_address", message);
    }
}

fn waf(settings: &Settings, wrong: &mut Wrong) {
    let waf = &settings.waf;
    let (budget, client) = (waf.body_memory_budget, waf.body_memory_per_client);
    if client > budget {
        let message = format!("expected at most waf.body_memory_budget, {budget} bytes");
        refuse(wrong, "waf.body_memory_per_client", message);
    }
    let limit = ("waf.inspect_body_limit".to_owned(), waf.inspect_body_limit);
    let of_sites = settings.sites.iter().enumerate().filter_map(|(row, site)| {
        Some((format!("sites[{row}].inspect_body_limit"), site.inspect_body_limit?))
    });
    for (path, limit) in std::iter::once(limit).chain(of_sites) {
        if limit > budget {
            refuse(wrong, path, format!("expected at most waf.body_memory_budget, {budget} bytes"));
        } else if limit > client {
            refuse(wrong, path, format!("expected at most waf.body_memory_per_client, {client} bytes"));
        }
    }
    tables::paths("waf.csrf.exempt_paths", &settings.csrf.exempt_paths, wrong);
}

fn api(settings: &Settings, wrong: &mut Wrong) {
    let metrics = &settings.metrics;
    if metrics.viewer_token.is_some() && metrics.viewer_token == metrics.api_token {
        let message = "it is metrics.api_token too, which may do everything; give each its own";
        refuse(wrong, "metrics.viewer_token", message);
    }
    let length = metrics.unix_socket.as_ref().map_or(0, |path| path.as_os_str().len());
    if length > SOCKET_PATH_BYTES_MAX {
        let message =
            format!("expected a path of at most {SOCKET_PATH_BYTES_MAX} bytes, found one of {length}");
        refuse(wrong, "metrics.unix_socket", message);
    }
    let (access_log, audit_log) = (&settings.access_log, &settings.audit_log);
    if access_log.enable && settings.logging.file.as_ref() == Some(&access_log.file) {
        refuse(wrong, "access_log.file", "it is logging.file too; give each its own");
    }
    if audit_log.enable && settings.logging.file.as_ref() == Some(&audit_log.file) {
        refuse(wrong, "audit_log.file", "it is logging.file too; give each its own");
    }
    if audit_log.enable && access_log.enable && audit_log.file == access_log.file {
        refuse(wrong, "audit_log.file", "it is access_log.file too; give each its own");
    }
}

fn lists(settings: &Settings, wrong: &mut Wrong) {
    if settings.limits.methods.is_empty() {
        refuse(wrong, "limits.methods", "expected at least one method, found none");
    }
    if settings.tls.as_ref().is_some_and(|tls| tls.protocols.is_empty()) {
        let message = "expected at least one of \"TLSv1.2\" and \"TLSv1.3\", found none";
        refuse(wrong, "tls.protocols", message);
    }
}

fn orchestrator(settings: &Settings, wrong: &mut Wrong) {
    let Some(orchestrator) = &settings.orchestrator else { return };
    match (orchestrator.url.is_some(), orchestrator.urls.is_empty()) {
        (true, false) => refuse(wrong, "orchestrator.urls", "give url or urls, not both"),
        (false, true) => refuse(
            wrong,
            "orchestrator.url",
            "missing: expected a URL, such as \"http://orchestrator:9090\", or several in urls",
        ),
        _ => {}
    }
    if let Some(pin) = &orchestrator.ca_pin
        && !(pin.len() == 64 && pin.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        refuse(wrong, "orchestrator.ca_pin", "expected SHA-256 in hex, 64 digits");
    }
}

/// What works, and yet may not be what was meant.
fn warn(loaded: &mut Loaded) {
    let Loaded { settings, warnings, .. } = loaded;
    if settings.syn_proxy.enable && settings.syn_proxy.syn_cookie_secret.is_none() {
        warnings.push(format!(
            "syn_proxy.syn_cookie_secret is not given: a random one is made and kept in {}; \
             nodes that share an address need the same one",
            settings.server.data_dir.display()
        ));
    }
    let is_checked = settings.csrf.enable || settings.sites.iter().any(|site| site.csrf == Some(true));
    if settings.csrf.require && !is_checked {
        warnings.push("waf.csrf.require does nothing while waf.csrf.enable is false".into());
    }
    if settings.sandbox.required && !settings.sandbox.enable {
        warnings.push("sandbox.required does nothing while sandbox.enable is false".into());
    }
}

/// Refuses the second of two that are the same, each with its path: "the host "a" stands in `sites[0].hosts` too".
fn unique(named: impl Iterator<Item = (String, String)>, what: &str, wrong: &mut Wrong) {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (path, name) in named {
        match seen.get(&name) {
            Some(earlier) => {
                refuse(wrong, path, format!("the {what} {name:?} is in {earlier} too; no two share one"))
            }
            None => {
                seen.insert(name, path);
            }
        }
    }
}
