//! The kill switch: in force before anything else is done about it.

use crate::api::access::Actor;
use crate::api::body::Json as JsonBody;
use crate::api::error::ApiError;
use crate::api::{Api, aside};
use crate::kill_switch::{HOSTS_MAX, TooManyHosts};
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use secbeat_l7::Shared;
use secbeat_l7::kill_switch::{Stance, Switch};
use secbeat_settings::HostPattern;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How long the switch stays turned where the call does not say, and at most, in seconds.
const DURATION_S: u64 = 3600;
const DURATION_S_MAX: u64 = 604_800;
const REASON_BYTES_MAX: usize = 500;
/// How long the answer waits for the disk; the switch waits for nothing.
const DISK_PATIENCE: Duration = Duration::from_millis(500);

/// How the switch is turned.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    mode: String,
    #[serde(default)]
    hosts: Vec<String>,
    duration: Option<u64>,
    reason: Option<String>,
}

/// `POST /api/v1/panic`
pub async fn turn(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    JsonBody(call): JsonBody<Turn>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let mode = match call.mode.as_str() {
        "monitor" => Stance::Monitor,
        "off" => Stance::Off,
        "normal" => Stance::Normal,
        "challenge" => {
            return Err(ApiError::invalid_at(
                "mode",
                "\"challenge\" is not built in this version; use \"monitor\" or \"off\"",
            ));
        }
        other => {
            return Err(ApiError::invalid_at(
                "mode",
                format!("expected monitor, off or normal, found {other:?}"),
            ));
        }
    };
    let mut hosts = Vec::new();
    for (index, host) in call.hosts.iter().enumerate() {
        let pattern = HostPattern::parse(host).ok_or_else(|| {
            let message = format!("expected a host such as shop.example or *.shop.example, found {host:?}");
            ApiError::invalid_at(format!("hosts[{index}]"), message)
        });
        hosts.push(pattern?);
    }
    let duration = match call.duration.unwrap_or(DURATION_S) {
        seconds @ 1..=DURATION_S_MAX => Duration::from_secs(seconds),
        other => {
            let message = format!("expected seconds, 1 to {DURATION_S_MAX}, found {other}");
            return Err(ApiError::invalid_at("duration", message));
        }
    };
    let reason = call.reason.unwrap_or_default();
    if reason.len() > REASON_BYTES_MAX {
        return Err(ApiError::invalid_at("reason", format!("expected at most {REASON_BYTES_MAX} bytes")));
    }
    let shared = &api.control.shared;
    let since = shared.clock.now();
    let switch = Switch { mode, hosts, until: since.after(duration), since, reason };
    let switch = api.control.kill_switch.turn(shared, switch, &actor.0).map_err(|TooManyHosts| {
        let message = format!("the switches would name more than {HOSTS_MAX} hosts; name patterns such as *.shop.example, or all by leaving hosts out");
        ApiError::invalid_at("hosts", message)
    })?;
    let control = api.control.clone();
    let save = aside(move || control.kill_switch.save(&control.shared));
    let written = tokio::time::timeout(DISK_PATIENCE, save).await;
    let not_durable = match written {
        Ok(Ok(Ok(()))) => None,
        Ok(Ok(Err(error))) => Some(error.to_string()),
        Ok(Err(error)) => return Err(error),
        Err(_) => Some("the disk has not answered yet".to_owned()),
    };
    let status = if not_durable.is_none() { StatusCode::OK } else { StatusCode::ACCEPTED };
    let mut answer = shown(&switch);
    if mode == Stance::Normal {
        answer["until"] = Value::Null;
    }
    answer["durable"] = json!(not_durable.is_none());
    if let Some(why) = not_durable {
        shared.log.error("mitigation-node", "panic_not_durable").str("reason", &why).send();
        answer["not_durable"] = json!(why);
    }
    Ok((status, Json(answer)))
}

/// `GET /api/v1/panic`
pub async fn list(State(api): State<Arc<Api>>) -> Json<Value> {
    Json(json!({ "switches": turned(&api.control.shared) }))
}

/// Every switch that is turned, as calls show it.
pub fn turned(shared: &Shared) -> Vec<Value> {
    let now = shared.clock.now();
    shared.kill_switch.switches().iter().filter(|switch| now < switch.until).map(shown).collect()
}

fn shown(switch: &Switch) -> Value {
    json!({
        "mode": switch.mode,
        "hosts": switch.hosts.iter().map(HostPattern::to_string).collect::<Vec<_>>(),
        "since": switch.since,
        "until": switch.until,
        "reason": switch.reason,
    })
}
