//! The node's API: metrics, health, and the calls of an operator.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`port`] | the connections that calls come in on |
//! | [`access`] | who may call what |
//! | [`error`] | the form of every error |
//! | [`body`] | bodies, read as JSON whatever they call themselves |
//! | [`plain`] | answers that drive no terminal |
//! | [`health`] | metrics and health |
//! | [`decisions`] | blocks of addresses and prefixes |
//! | [`allowlist`] | who is let through |
//! | [`protected`] | whom a block must not hit |
//! | [`policy`] | reload and firewall rules |
//! | [`exceptions`] | what rules let pass all the same |
//! | [`trial`] | what the firewall would do with a request |
//! | [`preview`], [`proposal`] | what exceptions would let through; those that a stopped request calls for |
//! | [`explain`] | why somebody or something is let through or stopped |
//! | [`mod@panic`] | the kill switch |
//! | [`events`] | what happened |
//! | [`stream`] | what happens, as it happens |
//! | [`records`] | recorded requests |
//! | [`connections`] | who is connected |
//! | [`openapi`] | the calls as OpenAPI has them |

mod access;
mod allowlist;
mod body;
mod connections;
mod decisions;
mod error;
mod events;
mod exceptions;
mod explain;
mod health;
mod openapi;
mod panic;
mod plain;
mod policy;
mod port;
mod preview;
mod proposal;
mod protected;
mod records;
mod stream;
mod trial;

use crate::control::Control;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{delete, get, post};
use error::ApiError;
pub use port::{serve, serve_local};
pub use protected::{Names, ask_ahead};
use std::sync::Arc;

/// The longest body of a call, in bytes: some ten thousand rules.
const BODY_BYTES_MAX: usize = 8 << 20;

/// What the calls work with.
pub struct Api {
    /// The policy and the ways to change it.
    pub control: Arc<Control>,
    /// Data-plane workers that are to be there.
    pub workers: usize,
    /// The addresses of what the settings name.
    pub names: Names,
}

/// Every call, with the check of who may make it before it.
pub fn router(api: Arc<Api>) -> Router {
    let calls = Router::new()
        .route("/api/v1/reload", post(policy::reload))
        .route("/api/v1/waf/rules", get(policy::list_rules).post(policy::set_rules))
        .route("/api/v1/waf/rules/{id}", delete(policy::delete_rule))
        .route("/api/v1/waf/exceptions", get(exceptions::list).post(exceptions::set))
        .route("/api/v1/waf/preview", post(preview::preview))
        .route("/api/v1/waf/test", post(trial::test))
        .route("/api/v1/waf/exceptions/{id}", delete(exceptions::delete))
        .route("/api/v1/policy", get(policy::show))
        .route("/api/v1/block-ip", post(decisions::block_ip))
        .route("/api/v1/block-ip/{ip}", delete(decisions::unblock_ip))
        .route("/api/v1/blocked-ips", get(decisions::list))
        .route("/api/v1/decisions/{id}/confirm", post(decisions::confirm))
        .route("/api/v1/allowlist", get(allowlist::list).post(allowlist::allow).delete(allowlist::disallow))
        .route("/api/v1/emergency-block", post(decisions::block_prefix).delete(decisions::unblock_prefix))
        .route("/api/v1/events", get(events::list))
        .route("/api/v1/records", get(records::list))
        .route("/api/v1/status", get(health::status))
        .route("/api/openapi.json", get(openapi::document))
        .route("/api/v1/connections", get(connections::list))
        .route("/api/v1/events/stream", get(stream::follow))
        .route("/api/v1/explain", get(explain::explain))
        .route("/api/v1/panic", get(panic::list).post(panic::turn))
        .fallback(async || ApiError::not_found("there is no such call; see docs/api.md for those there are"))
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
        .layer(middleware::from_fn_with_state(api.clone(), access::check));
    Router::new()
        .route("/metrics", get(health::metrics))
        .route("/health", get(health::health))
        .route("/healthz", get(health::health))
        .route("/readyz", get(health::ready))
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
        .merge(calls)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::map_response(plain::plain))
        .with_state(api)
}

/// Compiling and syncing take milliseconds: they wait on a thread of their own, not on the one that answers calls.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::internal(&error))
}
