//! Who may call what. Over loopback, or the Unix socket, every call works as the guide writes it; from elsewhere a call needs a
//! token: the operator's for all calls, the viewer's for those that read. Without a token configured there is no such call. Metrics and health are not asked about here.
//!
//! A browser on the operator's machine reaches loopback too. What a foreign page makes it send carries that page's `Origin`;
//! a page whose name was bound to 127.0.0.1 (DNS rebinding) carries its name in `Host`. Both are refused.

use crate::api::Api;
use crate::api::error::ApiError;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secbeat_settings::{Secret, Settings};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// The peer of a call over the Unix socket: no peer over TCP has port 0.
pub const LOCAL_SOCKET: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Who makes a call, as events tell it: `127.0.0.1`, `unix socket`, `192.0.2.9 (operator token)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor(pub String);

/// Lets a call through with its [`Actor`], or says why not.
pub async fn check(
    State(api): State<Arc<Api>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let settings = api.control.view().settings.clone();
    match may_call(&settings, peer, request.method(), request.headers()) {
        Ok(actor) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

fn may_call(
    settings: &Settings,
    peer: SocketAddr,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Actor, ApiError> {
    let ip = peer.ip().to_canonical();
    let text =
        |name| headers.get(name).map(|value: &header::HeaderValue| value.to_str().unwrap_or("\u{fffd}"));
    let host = text(header::HOST).unwrap_or_default();
    if let Some(origin) = text(header::ORIGIN) {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        if authority != Some(host) {
            return Err(ApiError::forbidden(format!(
                "the call comes from a page of {origin:?}, which is not this service"
            )));
        }
    }
    if ip.is_loopback() {
        let name = name_of(host);
        let is_known = name.parse::<IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || settings.metrics.allowed_hosts.iter().any(|known| known.as_str().eq_ignore_ascii_case(name));
        return if is_known {
            Ok(Actor(if peer == LOCAL_SOCKET { "unix socket".into() } else { ip.to_string() }))
        } else {
            Err(ApiError::forbidden(format!(
                "the Host {host:?} is neither an address nor localhost; add it to metrics.allowed_hosts if it is yours"
            )))
        };
    }
    let (operator, viewer) = (&settings.metrics.api_token, &settings.metrics.viewer_token);
    if operator.is_none() && viewer.is_none() {
        return Err(ApiError::not_found(
            "this call is there over loopback alone; set metrics.api_token to make it from elsewhere",
        ));
    }
    let given = text(header::AUTHORIZATION).and_then(bearer).unwrap_or_default();
    let is = |token: &Option<Secret>| {
        token.as_ref().is_some_and(|token| bool::from(given.as_bytes().ct_eq(token.expose().as_bytes())))
    };
    // Both are compared, whatever comes of the first.
    match (is(operator), is(viewer)) {
        (true, _) => Ok(Actor(format!("{ip} (operator token)"))),
        (false, true) if *method == Method::GET || *method == Method::HEAD => {
            Ok(Actor(format!("{ip} (viewer token)")))
        }
        (false, true) => Err(ApiError::forbidden(
            "the token is that of metrics.viewer_token, which reads and changes nothing; make the call with metrics.api_token",
        )),
        (false, false) => Err(ApiError::unauthorized()),
    }
}

/// The token of `Bearer …`; the scheme's name is of any case (RFC 9110 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

/// The host of `host[:port]`, without the brackets of an IPv6 address.
fn name_of(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn status(token: Option<&str>, peer: &str, headers: &[(header::HeaderName, &str)]) -> u16 {
        let mut settings = Settings::default();
        settings.metrics.api_token = token.map(|token| Secret::new(token).unwrap());
        answer(&settings, &Method::POST, peer, headers)
    }

    fn answer(
        settings: &Settings,
        method: &Method,
        peer: &str,
        headers: &[(header::HeaderName, &str)],
    ) -> u16 {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect();
        match may_call(settings, SocketAddr::new(peer.parse().unwrap(), 9), method, &headers) {
            Ok(_) => 200,
            Err(error) => error.into_response().status().as_u16(),
        }
    }

    #[test]
    fn a_call_says_who_makes_it() {
        let mut settings = Settings::default();
        settings.metrics.api_token = Some(Secret::new(TOKEN).unwrap());
        for (peer, actor) in [
            ("127.0.0.1:5", "127.0.0.1"),
            ("[::ffff:127.0.0.1]:5", "127.0.0.1"),
            ("127.0.0.1:0", "unix socket"),
            ("192.0.2.9:5", "192.0.2.9 (operator token)"),
        ] {
            let headers = [(header::HOST, "localhost"), (header::AUTHORIZATION, &format!("bearer  {TOKEN}"))]
                .map(|(name, value)| (name, HeaderValue::from_str(value).unwrap()));
            let called =
                may_call(&settings, peer.parse().unwrap(), &Method::POST, &headers.into_iter().collect());
            assert_eq!(called.unwrap(), Actor(actor.into()), "{peer}");
        }
    }

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn loopback_needs_no_token() {
        for host in ["localhost:9191", "127.0.0.1:9191", "[::1]:9191", "localhost"] {
            assert_eq!(status(Some(TOKEN), "127.0.0.1", &[(header::HOST, host)]), 200, "{host}");
        }
    }

    #[test]
    fn a_rebound_name_and_a_foreign_page_are_refused() {
        assert_eq!(status(None, "127.0.0.1", &[(header::HOST, "evil.example:9191")]), 403);
        assert_eq!(status(None, "127.0.0.1", &[]), 403);
        let page = [(header::HOST, "localhost:9191"), (header::ORIGIN, "https://evil.example")];
        assert_eq!(status(None, "::1", &page), 403);
        let own = [(header::HOST, "localhost:9191"), (header::ORIGIN, "http://localhost:9191")];
        assert_eq!(status(None, "::1", &own), 200);
    }

    #[test]
    fn from_elsewhere_there_is_no_call_without_a_token_and_none_without_the_right_one() {
        let right = format!("Bearer {TOKEN}");
        assert_eq!(status(None, "192.0.2.1", &[(header::AUTHORIZATION, right.as_str())]), 404);
        assert_eq!(status(Some(TOKEN), "192.0.2.1", &[]), 401);
        assert_eq!(status(Some(TOKEN), "192.0.2.1", &[(header::AUTHORIZATION, "Bearer wrong")]), 401);
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let right = format!("{scheme} {TOKEN}");
            assert_eq!(status(Some(TOKEN), "192.0.2.1", &[(header::AUTHORIZATION, right.as_str())]), 200);
        }
    }

    #[test]
    fn a_viewer_reads_and_changes_nothing() {
        const VIEWER: &str = "fedcba9876543210fedcba9876543210";
        let mut settings = Settings::default();
        settings.metrics.viewer_token = Some(Secret::new(VIEWER).unwrap());
        let bearer = format!("Bearer {VIEWER}");
        let headers = [(header::AUTHORIZATION, bearer.as_str())];
        for (method, expected) in
            [(Method::GET, 200), (Method::HEAD, 200), (Method::POST, 403), (Method::DELETE, 403)]
        {
            assert_eq!(answer(&settings, &method, "192.0.2.1", &headers), expected, "{method}");
        }
        settings.metrics.api_token = Some(Secret::new(TOKEN).unwrap());
        assert_eq!(answer(&settings, &Method::POST, "192.0.2.1", &headers), 403);
        assert_eq!(answer(&settings, &Method::GET, "192.0.2.1", &[]), 401);
    }
}
