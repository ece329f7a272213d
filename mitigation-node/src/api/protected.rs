//! Whom a block must not hit unless it is forced.

mod names;

use crate::api::Api;
pub use names::Names;
use secbeat_intel::Protected;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The caller, the backend, the orchestrators, the trusted proxies and loopback.
pub async fn protected(api: &Api, caller: IpAddr) -> Vec<Protected> {
    let settings = api.control.view().settings.clone();
    let mut protected = vec![Protected::host(caller, "the caller")];
    let mut hosts = vec![("the backend", settings.server.backend_address.host().to_owned())];
    if let Some(orchestrator) = &settings.orchestrator {
        let urls = orchestrator.url.iter().chain(&orchestrator.urls);
        hosts.extend(urls.filter_map(|url| host(url.as_str())).map(|host| ("the orchestrator", host)));
    }
    // Side by side: one that nobody answers for delays the others by nothing.
    let lookups = hosts.into_iter().map(|(whose, host)| {
        let names = api.names.clone();
        (whose, tokio::spawn(async move { names.addresses(&host).await }))
    });
    for (whose, lookup) in lookups.collect::<Vec<_>>() {
        // It only fails where the program ends.
        let addresses = lookup.await.unwrap_or_default();
        protected.extend(addresses.iter().map(|at| Protected::host(*at, format!("{whose} {at}"))));
    }
    let proxies = settings.server.trusted_proxies.iter();
    protected.extend(proxies.map(|prefix| Protected::prefix(*prefix, "a trusted proxy")));
    protected.extend(Protected::loopback());
    protected
}

/// Has the addresses of names be known before they are needed.
pub async fn ask_ahead(api: Arc<Api>) {
    protected(&api, IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
}

/// The host of a URL, without brackets.
fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        _ => authority,
    };
    Some(host.trim_start_matches('[').trim_end_matches(']').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_url_is_found() {
        for (url, found) in [
            ("http://orchestrator:9090", "orchestrator"),
            ("https://orchestrator.example/base?a=b:1", "orchestrator.example"),
            ("http://192.0.2.7", "192.0.2.7"),
            ("https://[2001:db8::1]", "2001:db8::1"),
            ("https://[2001:db8::1]:9090/", "2001:db8::1"),
        ] {
            assert_eq!(host(url).as_deref(), Some(found), "{url}");
        }
    }
}
