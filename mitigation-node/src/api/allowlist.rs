//! The allowlist: who passes decisions, request rates and limits on connections. The firewall still looks at his requests.

use crate::api::Api;
use crate::api::access::Actor;
use crate::api::body::{Json as JsonBody, Query};
use crate::api::decisions::{Answer, Filter, address, duration, page, put, reason, tell, told, undo};
use crate::api::error::ApiError;
use axum::extract::State;
use axum::{Extension, Json};
use ipnet::IpNet;
use secbeat_intel::{NewDecision, parse_scope};
use secbeat_types::decision::scope_of_address;
use secbeat_types::{DecisionKind, Origin};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Whom a call lets through, and for how long.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    ip: Option<String>,
    cidr: Option<String>,
    duration: Option<u64>,
    reason: Option<String>,
}

/// Who is taken off.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disallow {
    ip: Option<String>,
    cidr: Option<String>,
}

/// `GET /api/v1/allowlist?limit=&after=&ip=`
pub async fn list(
    State(api): State<Arc<Api>>,
    Query(filter): Query<Filter>,
) -> Result<Json<Value>, ApiError> {
    let page = page(&api, DecisionKind::Allow, filter).await?;
    Ok(Json(json!({ "allowlist": page.decisions, "next": page.next, "total": page.total })))
}

/// `POST /api/v1/allowlist`
pub async fn allow(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    JsonBody(call): JsonBody<Allow>,
) -> Answer {
    let (scope, named) = scope(call.ip.as_deref(), call.cidr.as_deref())?;
    let new = NewDecision {
        scope,
        kind: DecisionKind::Allow,
        origin: Origin::Manual,
        reason: reason(call.reason)?,
        duration: call.duration.map(duration).transpose()?,
        confirm: None,
    };
    let has_reason = !new.reason.is_empty();
    let written = put(&api, new).await?;
    tell(&api, &actor, "ip_allowed", &written.value, written.not_durable.as_deref());
    Ok(told(&written, named, has_reason, &[]))
}

/// `DELETE /api/v1/allowlist`
pub async fn disallow(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    JsonBody(call): JsonBody<Disallow>,
) -> Answer {
    let (scope, _) = scope(call.ip.as_deref(), call.cidr.as_deref())?;
    undo(&api, &actor, scope, DecisionKind::Allow).await
}

/// The prefix that a call means, and how its answer names it.
fn scope(ip: Option<&str>, cidr: Option<&str>) -> Result<(IpNet, Value), ApiError> {
    match (ip, cidr) {
        (Some(ip), None) => {
            let ip = address("ip", ip)?;
            Ok((scope_of_address(ip), json!({ "ip": ip.to_string() })))
        }
        (None, Some(cidr)) => {
            let scope = parse_scope(cidr).map_err(|error| ApiError::invalid_at("cidr", error))?;
            Ok((scope, json!({ "cidr": scope.to_string() })))
        }
        _ => Err(ApiError::invalid_at("ip", "expected \"ip\" or \"cidr\", and not both")),
    }
}
