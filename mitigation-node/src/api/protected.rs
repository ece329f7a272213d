//! Whom a block must not hit unless it is forced.

use crate::api::Api;
use secbeat_intel::Protected;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout_at};

/// How long a block waits for the addresses of what is given by name.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// The caller, the backend, the orchestrators, the trusted proxies and loopback.
pub async fn protected(api: &Api, caller: IpAddr) -> Vec<Protected> {
    let settings = api.control.view().settings.clone();
    let mut protected = vec![Protected::host(caller, "the caller")];
    let backend = &settings.server.backend_address;
    let mut lookups = vec![("the backend", lookup(backend.host().to_owned(), backend.port()))];
    if let Some(orchestrator) = &settings.orchestrator {
        let urls = orchestrator.url.iter().chain(&orchestrator.urls);
        let hosts = urls.filter_map(|url| host_and_port(url.as_str()));
        lookups.extend(hosts.map(|(host, port)| ("the orchestrator", lookup(host, port))));
    }
    let end = Instant::now() + LOOKUP_TIMEOUT;
    for (whose, lookup) in lookups {
        // A name that cannot be resolved now must not hold up a block.
        if let Ok(Ok(Ok(addresses))) = timeout_at(end, lookup).await {
            protected.extend(addresses.iter().map(|at| Protected::host(at.ip(), format!("{whose} {at}"))));
        }
    }
    let proxies = settings.server.trusted_proxies.iter();
    protected.extend(proxies.map(|prefix| Protected::prefix(*prefix, "a trusted proxy")));
    protected.extend(Protected::loopback());
    protected
}

/// Asks for the addresses of a host, on a thread aside and at once.
fn lookup(host: String, port: u16) -> JoinHandle<std::io::Result<Vec<SocketAddr>>> {
    spawn_blocking(move || Ok((host.as_str(), port).to_socket_addrs()?.collect()))
}

/// The host of a URL, without brackets, and its port.
fn host_and_port(url: &str) -> Option<(String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, if scheme == "https" { 443 } else { 80 }),
    };
    Some((host.trim_start_matches('[').trim_end_matches(']').to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_url_is_found() {
        for (url, host, port) in [
            ("http://orchestrator:9090", "orchestrator", 9090),
            ("https://orchestrator.example/base?a=b:1", "orchestrator.example", 443),
            ("http://192.0.2.7", "192.0.2.7", 80),
            ("https://[2001:db8::1]", "2001:db8::1", 443),
            ("https://[2001:db8::1]:9090/", "2001:db8::1", 9090),
        ] {
            assert_eq!(host_and_port(url), Some((host.to_owned(), port)), "{url}");
        }
    }
}
