//! Blocks of addresses and prefixes: in force in every layer, and on the disk, before they are acknowledged.

use crate::api::Api;
use crate::api::aside;
use crate::api::body::{Json as JsonBody, Name};
use crate::api::error::ApiError;
use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use ipnet::IpNet;
use secbeat_intel::{Protected, Written, conflicts, parse_scope};
use secbeat_types::decision::scope_of_address;
use secbeat_types::{Decision, DecisionKind, Event, EventKind};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

/// How long a block lasts where the call does not say, in seconds.
const DURATION_S: u64 = 3600;
/// The longest block that can be asked for, in seconds: a hundred years.
const DURATION_S_MAX: u64 = 3_155_760_000;
const REASON_BYTES_MAX: usize = 500;
/// How long a block waits for the addresses of a backend that is given by name.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// What a call blocks, and for how long.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockIp {
    ip: String,
    duration: Option<u64>,
    reason: Option<String>,
    #[serde(default)]
    force: bool,
}

/// The same for a prefix.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockPrefix {
    cidr: String,
    duration: Option<u64>,
    reason: Option<String>,
    #[serde(default)]
    force: bool,
    confirm: Option<u64>,
}

/// The prefix whose block is undone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnblockPrefix {
    cidr: String,
}

type Answer = Result<(StatusCode, Json<Value>), ApiError>;

/// `POST /api/v1/block-ip`
pub async fn block_ip(
    State(api): State<Arc<Api>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    JsonBody(call): JsonBody<BlockIp>,
) -> Answer {
    let address = address("ip", &call.ip)?;
    let terms = Terms { duration: call.duration, reason: call.reason, force: call.force };
    let (written, allowed) = block(&api, caller.ip(), scope_of_address(address), terms).await?;
    Ok(told(&written, json!({ "ip": address.to_string() }), &allowed))
}

/// `DELETE /api/v1/block-ip/{ip}`
pub async fn unblock_ip(State(api): State<Arc<Api>>, Name(ip): Name) -> Answer {
    let scope = scope_of_address(address("ip", &ip)?);
    unblock(&api, scope).await
}

/// `POST /api/v1/emergency-block`
pub async fn block_prefix(
    State(api): State<Arc<Api>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    JsonBody(call): JsonBody<BlockPrefix>,
) -> Answer {
    if call.confirm.is_some() {
        return Err(ApiError::invalid_at(
            "confirm",
            "not built in this version; leave it out and give a short duration",
        ));
    }
    let scope = parse_scope(&call.cidr).map_err(|error| ApiError::invalid_at("cidr", error))?;
    let terms = Terms { duration: call.duration, reason: call.reason, force: call.force };
    let (written, allowed) = block(&api, caller.ip(), scope, terms).await?;
    Ok(told(&written, json!({ "cidr": scope.to_string() }), &allowed))
}

/// `DELETE /api/v1/emergency-block`
pub async fn unblock_prefix(State(api): State<Arc<Api>>, JsonBody(call): JsonBody<UnblockPrefix>) -> Answer {
    let scope = parse_scope(&call.cidr).map_err(|error| ApiError::invalid_at("cidr", error))?;
    unblock(&api, scope).await
}

/// `GET /api/v1/blocked-ips`
pub async fn list(State(api): State<Arc<Api>>) -> Json<Value> {
    let now = api.control.shared.clock.now();
    let table = api.control.shared.decisions.snapshot();
    let mut blocks: Vec<&Arc<Decision>> = table
        .iter()
        .filter(|decision| decision.kind == DecisionKind::Block && decision.is_in_force(now))
        .collect();
    blocks.sort_by_key(|decision| (decision.created_at, decision.scope));
    Json(json!({ "blocked_ips": blocks }))
}

struct Terms {
    duration: Option<u64>,
    reason: Option<String>,
    force: bool,
}

/// Blocks, and returns what was written with the allowlist entries inside, which win.
async fn block(
    api: &Arc<Api>,
    caller: IpAddr,
    scope: IpNet,
    terms: Terms,
) -> Result<(Written<Arc<Decision>>, Vec<String>), ApiError> {
    let duration = match terms.duration.unwrap_or(DURATION_S) {
        seconds @ 1..=DURATION_S_MAX => Duration::from_secs(seconds),
        other => {
            let message = format!("expected seconds, 1 to {DURATION_S_MAX}, found {other}");
            return Err(ApiError::invalid_at("duration", message));
        }
    };
    let reason = terms.reason.unwrap_or_default();
    if reason.len() > REASON_BYTES_MAX {
        return Err(ApiError::invalid_at("reason", format!("expected at most {REASON_BYTES_MAX} bytes")));
    }
    if !terms.force {
        let hit: Vec<String> =
            conflicts(scope, &protected(api, caller).await).iter().map(ToString::to_string).collect();
        if !hit.is_empty() {
            let message = format!("it would block {}; say \"force\": true if that is meant", hit.join(", "));
            return Err(ApiError::conflict(message));
        }
    }
    let decisions = api.control.shared.decisions.clone();
    let now = api.control.shared.clock.now();
    let written = aside(move || decisions.block(scope, Some(duration), reason, now)).await?;
    let written = written.map_err(|error| ApiError::full(error.to_string()))?;
    let table = api.control.shared.decisions.snapshot();
    let allowed = table.inside(scope).filter(|d| d.kind == DecisionKind::Allow && d.is_in_force(now));
    let allowed = allowed.map(|decision| decision.scope.to_string()).collect();
    tell(api, "ip_blocked", &written.value, written.not_durable.as_deref());
    Ok((written, allowed))
}

async fn unblock(api: &Arc<Api>, scope: IpNet) -> Answer {
    let decisions = api.control.shared.decisions.clone();
    let removed = aside(move || decisions.remove(scope, DecisionKind::Block)).await?;
    if removed.value.is_empty() {
        let message = format!("{scope} is not blocked; GET /api/v1/blocked-ips lists what is");
        return Err(ApiError::not_found(message));
    }
    for decision in &removed.value {
        tell(api, "ip_unblocked", decision, removed.not_durable.as_deref());
    }
    let ids: Vec<&str> = removed.value.iter().map(|decision| decision.id.as_str()).collect();
    let status = if removed.durable() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(json!({ "removed": ids, "durable": removed.durable() }))))
}

/// Whom a block must not hit unless it is forced.
async fn protected(api: &Api, caller: IpAddr) -> Vec<Protected> {
    let settings = api.control.view().settings.clone();
    let backend = settings.server.backend_address.clone();
    let mut protected = vec![Protected::host(caller, "the caller")];
    let lookup = aside(move || (backend.host(), backend.port()).to_socket_addrs());
    // A name that cannot be resolved now must not hold up a block.
    if let Ok(Ok(Ok(addresses))) = tokio::time::timeout(LOOKUP_TIMEOUT, lookup).await {
        protected
            .extend(addresses.map(|backend| Protected::host(backend.ip(), format!("the backend {backend}"))));
    }
    let proxies = settings.server.trusted_proxies.iter();
    protected.extend(proxies.map(|prefix| Protected::prefix(*prefix, "a trusted proxy")));
    protected.extend(Protected::loopback());
    protected
}

fn address(field: &'static str, text: &str) -> Result<IpAddr, ApiError> {
    text.trim().parse::<IpAddr>().map(|ip| ip.to_canonical()).map_err(|_| {
        let message =
            format!("expected an IPv4 or IPv6 address, found {text:?}; emergency-block takes prefixes");
        ApiError::invalid_at(field, message)
    })
}

fn told(
    written: &Written<Arc<Decision>>,
    mut answer: Value,
    allowed: &[String],
) -> (StatusCode, Json<Value>) {
    let decision = &written.value;
    let status = if written.durable() { StatusCode::OK } else { StatusCode::ACCEPTED };
    answer["id"] = json!(decision.id);
    answer["scope"] = json!(decision.scope);
    answer["expires_at"] = json!(decision.expires_at);
    answer["durable"] = json!(written.durable());
    if let Some(why) = &written.not_durable {
        answer["not_durable"] = json!(why);
    }
    if !allowed.is_empty() {
        answer["allowlisted_inside"] = json!(allowed);
    }
    (status, Json(answer))
}

fn tell(api: &Api, event: &'static str, decision: &Decision, not_durable: Option<&str>) {
    let mut reason = format!("{} {}", decision.id, decision.scope);
    if !decision.reason.is_empty() {
        reason.push_str(&format!(": {}", decision.reason));
    }
    if let Some(why) = not_durable {
        reason.push_str(&format!(" (in force, but not on the disk: {why})"));
    }
    let ip = (decision.scope.prefix_len() == decision.scope.max_prefix_len()).then(|| decision.scope.addr());
    api.control
        .shared
        .tell(Event { client_ip: ip, ..Event::new(EventKind::Decision, "mitigation-node", event, reason) });
}
