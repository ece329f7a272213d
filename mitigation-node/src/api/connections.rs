//! Who is connected.

use crate::api::Api;
use crate::api::body::{Query, address};
use crate::api::error::ApiError;
use axum::Json;
use axum::extract::State;
use secbeat_edge::registry::State as ConnectionState;
use secbeat_l7::roll_call::{SEEN_MAX, Seen};
use secbeat_types::Timestamp;
use secbeat_types::decision::scope_of_address;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Connections that are shown where the call does not say.
const LIMIT: usize = 100;

/// Which connections.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    ip: Option<String>,
    limit: Option<usize>,
}

/// `GET /api/v1/connections?ip=&limit=`: the longest-lived first. An IPv6 address stands for its /64, as in a block. Where
/// workers did not answer, `silent_workers` names them: their connections are not in the answer.
pub async fn list(
    State(api): State<Arc<Api>>,
    Query(filter): Query<Filter>,
) -> Result<Json<Value>, ApiError> {
    let of = filter.ip.as_deref().map(address).transpose()?.map(scope_of_address);
    let limit = filter.limit.unwrap_or(LIMIT);
    if !(1..=SEEN_MAX).contains(&limit) {
        let message = format!("expected a number of connections from 1 to {SEEN_MAX}, found {limit}");
        return Err(ApiError::invalid_at("limit", message));
    }
    let roll = api.control.shared.roll_call.ask(of, limit).await;
    let now = Timestamp::now();
    let connections: Vec<Value> = roll.seen.iter().map(|seen| shown(seen, now)).collect();
    let mut answer = json!({ "connections": connections, "total": roll.total });
    if !roll.silent.is_empty() {
        answer["silent_workers"] = roll.silent.into();
    }
    Ok(Json(answer))
}

fn shown(seen: &Seen, now: Timestamp) -> Value {
    json!({
        "id": format!("conn_{}", seen.number),
        "peer": seen.peer,
        "client_ip": seen.client,
        "since": Timestamp::from_unix_ms(now.unix_ms().saturating_sub_unsigned(seen.age_ms)),
        "state": match seen.state {
            ConnectionState::Idle => "idle",
            ConnectionState::Request => "request",
            ConnectionState::Tunnel => "tunnel",
        },
        "tls": seen.is_tls,
        "requests": seen.requests,
        "worker": seen.worker,
    })
}
