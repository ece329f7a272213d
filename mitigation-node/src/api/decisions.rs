//! Blocks of addresses and prefixes: in force in every layer, and on the disk, before they are acknowledged.

use crate::api::access::Actor;
use crate::api::body::{self, Json as JsonBody, Name, Query};
use crate::api::error::ApiError;
use crate::api::protected::protected;
use crate::api::{Api, aside};
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use ipnet::IpNet;
use secbeat_intel::{NewDecision, Page, Written, conflicts, parse_scope};
use secbeat_types::decision::scope_of_address;
use secbeat_types::{Decision, DecisionKind, Event, EventKind, Origin};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How long a block lasts where the call does not say, in seconds.
const DURATION_S: u64 = 3600;
/// The longest duration that can be asked for, in seconds: a hundred years.
const DURATION_S_MAX: u64 = 3_155_760_000;
/// The longest time that a decision can wait to be confirmed, in seconds.
const CONFIRM_S_MAX: u64 = 3600;
const REASON_BYTES_MAX: usize = 500;
/// Decisions on a page where the call does not say, and the most that it can ask for.
const LIMIT: usize = 1000;
const LIMIT_MAX: usize = 10_000;
/// Entries of the allowlist that the answer to a block names.
const ALLOWED_INSIDE_MAX: usize = 100;

/// What a call blocks, and for how long.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockIp {
    ip: String,
    duration: Option<u64>,
    reason: Option<String>,
    #[serde(default)]
    force: bool,
    confirm: Option<u64>,
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

/// Which decisions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    limit: Option<usize>,
    after: Option<String>,
    ip: Option<String>,
}

pub(super) type Answer = Result<(StatusCode, Json<Value>), ApiError>;

/// `POST /api/v1/block-ip`
pub async fn block_ip(
    State(api): State<Arc<Api>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    Extension(actor): Extension<Actor>,
    JsonBody(call): JsonBody<BlockIp>,
) -> Answer {
    let address = address("ip", &call.ip)?;
    let duration = Some(duration(call.duration.unwrap_or(DURATION_S))?);
    let new = new_block(scope_of_address(address), duration, call.reason, call.confirm)?;
    let has_reason = !new.reason.is_empty();
    let (written, allowed) = block(&api, caller.ip(), &actor, new, call.force).await?;
    Ok(told(&written, json!({ "ip": address.to_string() }), has_reason, &allowed))
}

/// `DELETE /api/v1/block-ip/{ip}`
pub async fn unblock_ip(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    Name(ip): Name,
) -> Answer {
    let scope = scope_of_address(address("ip", &ip)?);
    undo(&api, &actor, scope, DecisionKind::Block).await
}

/// `POST /api/v1/emergency-block`
pub async fn block_prefix(
    State(api): State<Arc<Api>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    Extension(actor): Extension<Actor>,
    JsonBody(call): JsonBody<BlockPrefix>,
) -> Answer {
    let scope = parse_scope(&call.cidr).map_err(|error| ApiError::invalid_at("cidr", error))?;
    let duration = Some(duration(call.duration.unwrap_or(DURATION_S))?);
    let new = new_block(scope, duration, call.reason, call.confirm)?;
    let has_reason = !new.reason.is_empty();
    let (written, allowed) = block(&api, caller.ip(), &actor, new, call.force).await?;
    Ok(told(&written, json!({ "cidr": scope.to_string() }), has_reason, &allowed))
}

/// `DELETE /api/v1/emergency-block`
pub async fn unblock_prefix(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    JsonBody(call): JsonBody<UnblockPrefix>,
) -> Answer {
    let scope = parse_scope(&call.cidr).map_err(|error| ApiError::invalid_at("cidr", error))?;
    undo(&api, &actor, scope, DecisionKind::Block).await
}

/// `POST /api/v1/decisions/{id}/confirm`
pub async fn confirm(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    Name(id): Name,
) -> Answer {
    let shared = &api.control.shared;
    let (decisions, now, named) = (shared.decisions.clone(), shared.clock.now(), id.clone());
    let Some(confirmed) = aside(move || decisions.confirm(&named, now)).await? else {
        let shown: String = id.chars().take(64).collect();
        let message = format!(
            "no decision {shown:?} waits to be confirmed: it was confirmed, undone, or its time is over; \
             GET /api/v1/blocked-ips lists what is in force"
        );
        return Err(ApiError::not_found(message));
    };
    tell(&api, &actor, "block_confirmed", &confirmed.value, confirmed.not_durable.as_deref());
    Ok(told(&confirmed, json!({}), false, &[]))
}

/// `GET /api/v1/blocked-ips?limit=&after=&ip=`
pub async fn list(
    State(api): State<Arc<Api>>,
    Query(filter): Query<Filter>,
) -> Result<Json<Value>, ApiError> {
    let page = page(&api, DecisionKind::Block, filter).await?;
    Ok(Json(json!({ "blocked_ips": page.decisions, "next": page.next, "total": page.total })))
}

/// The decisions of `kind` that a call asks for, put together on a thread aside.
pub(super) async fn page(api: &Api, kind: DecisionKind, filter: Filter) -> Result<Page, ApiError> {
    let limit = filter.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let message = format!("expected a number of decisions, 1 to {LIMIT_MAX}, found {limit}");
        return Err(ApiError::invalid_at("limit", message));
    }
    let number = |id: String| match id.strip_prefix("dec_").and_then(|number| number.parse().ok()) {
        Some(number) => Ok(number),
        None => Err(ApiError::invalid_at("after", format!("expected an id such as dec_17, found {id:?}"))),
    };
    let after = filter.after.map_or(Ok(0), number)?;
    let about = filter.ip.as_deref().map(body::address).transpose()?;
    let (table, now) = (api.control.shared.decisions.snapshot(), api.control.shared.clock.now());
    aside(move || table.page(kind, about, after, limit, now)).await
}

fn new_block(
    scope: IpNet,
    duration: Option<Duration>,
    reason: Option<String>,
    confirm: Option<u64>,
) -> Result<NewDecision, ApiError> {
    let confirm = match confirm {
        None => None,
        Some(seconds @ 1..=CONFIRM_S_MAX) => Some(Duration::from_secs(seconds)),
        Some(other) => {
            let message = format!("expected seconds, 1 to {CONFIRM_S_MAX}, found {other}");
            return Err(ApiError::invalid_at("confirm", message));
        }
    };
    let (kind, origin) = (DecisionKind::Block, Origin::Manual);
    Ok(NewDecision { scope, kind, origin, reason: self::reason(reason)?, duration, confirm })
}

pub(super) fn duration(seconds: u64) -> Result<Duration, ApiError> {
    match seconds {
        1..=DURATION_S_MAX => Ok(Duration::from_secs(seconds)),
        other => {
            let message = format!("expected seconds, 1 to {DURATION_S_MAX}, found {other}");
            Err(ApiError::invalid_at("duration", message))
        }
    }
}

pub(super) fn reason(reason: Option<String>) -> Result<String, ApiError> {
    let reason = reason.unwrap_or_default();
    match reason.len() {
        0..=REASON_BYTES_MAX => Ok(reason),
        more => Err(ApiError::invalid_at(
            "reason",
            format!("expected at most {REASON_BYTES_MAX} bytes, found {more}"),
        )),
    }
}

/// Blocks, and returns what was written with the allowlist entries inside, which win.
async fn block(
    api: &Arc<Api>,
    caller: IpAddr,
    actor: &Actor,
    new: NewDecision,
    force: bool,
) -> Result<(Written<Arc<Decision>>, Vec<String>), ApiError> {
    if !force {
        let hit = conflicts(new.scope, &protected(api, caller).await);
        let hit: Vec<String> = hit.iter().map(ToString::to_string).collect();
        if !hit.is_empty() {
            let message = format!("it would block {}; say \"force\": true if that is meant", hit.join(", "));
            return Err(ApiError::conflict(message));
        }
    }
    let scope = new.scope;
    let written = put(api, new).await?;
    let (table, now) = (api.control.shared.decisions.snapshot(), api.control.shared.clock.now());
    let allowed = aside(move || {
        let inside = table.inside(scope, DecisionKind::Allow).filter(|allow| allow.is_in_force(now));
        inside.take(ALLOWED_INSIDE_MAX).map(|allow| allow.scope.to_string()).collect()
    });
    let allowed = allowed.await?;
    tell(api, actor, "ip_blocked", &written.value, written.not_durable.as_deref());
    Ok((written, allowed))
}

/// Makes a decision, on a thread aside.
pub(super) async fn put(api: &Api, new: NewDecision) -> Result<Written<Arc<Decision>>, ApiError> {
    let (decisions, now) = (api.control.shared.decisions.clone(), api.control.shared.clock.now());
    aside(move || decisions.put(new, now)).await?.map_err(|error| ApiError::full(error.to_string()))
}

/// Undoes what was decided about exactly `scope`.
pub(super) async fn undo(api: &Arc<Api>, actor: &Actor, scope: IpNet, kind: DecisionKind) -> Answer {
    let (event, is_not) = match kind {
        DecisionKind::Block => ("ip_unblocked", "is not blocked; GET /api/v1/blocked-ips lists what is"),
        DecisionKind::Allow => {
            ("ip_disallowed", "is not on the allowlist; GET /api/v1/allowlist lists what is")
        }
    };
    let decisions = api.control.shared.decisions.clone();
    let removed = aside(move || decisions.remove(scope, kind)).await?;
    if removed.value.is_empty() {
        return Err(ApiError::not_found(format!("{scope} {is_not}")));
    }
    for decision in &removed.value {
        tell(api, actor, event, decision, removed.not_durable.as_deref());
    }
    let ids: Vec<&str> = removed.value.iter().map(|decision| decision.id.as_str()).collect();
    let status = if removed.durable() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(json!({ "removed": ids, "durable": removed.durable() }))))
}

/// The address that `field` of a call names.
pub(super) fn address(field: &'static str, text: &str) -> Result<IpAddr, ApiError> {
    text.trim().parse::<IpAddr>().map(|ip| ip.to_canonical()).map_err(|_| {
        let shown: String = text.chars().take(64).collect();
        let message =
            format!("expected an IPv4 or IPv6 address, found {shown:?}; a prefix goes into \"cidr\"");
        ApiError::invalid_at(field, message)
    })
}

/// The answer to a decision that was made; `has_reason`: the call gave one.
pub(super) fn told(
    written: &Written<Arc<Decision>>,
    mut answer: Value,
    has_reason: bool,
    allowed: &[String],
) -> (StatusCode, Json<Value>) {
    let decision = &written.value;
    let status = if written.durable() { StatusCode::OK } else { StatusCode::ACCEPTED };
    answer["id"] = json!(decision.id);
    answer["scope"] = json!(decision.scope);
    answer["expires_at"] = json!(decision.expires_at);
    if let Some(confirm_by) = decision.confirm_by {
        answer["confirm_by"] = json!(confirm_by);
    }
    answer["durable"] = json!(written.durable());
    if let Some(why) = &written.not_durable {
        answer["not_durable"] = json!(why);
    }
    if has_reason && decision.reason.is_empty() {
        answer["reason_dropped"] = json!(true);
    }
    if !allowed.is_empty() {
        answer["allowlisted_inside"] = json!(allowed);
    }
    (status, Json(answer))
}

/// Tells of a decision and who made it: among the events and in the log.
pub(super) fn tell(
    api: &Api,
    actor: &Actor,
    event: &'static str,
    decision: &Decision,
    not_durable: Option<&str>,
) {
    let mut reason = format!("{} {}", decision.id, decision.scope);
    if !decision.reason.is_empty() {
        reason.push_str(&format!(": {}", decision.reason));
    }
    if let Some(why) = not_durable {
        reason.push_str(&format!(" (in force, but not on the disk: {why})"));
    }
    let ip = (decision.scope.prefix_len() == decision.scope.max_prefix_len()).then(|| decision.scope.addr());
    api.control.shared.tell(Event {
        actor: Some(actor.0.clone()),
        client_ip: ip,
        ..Event::new(EventKind::Decision, "mitigation-node", event, reason)
    });
}
