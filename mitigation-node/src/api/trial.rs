//! What the firewall would do with a request: nothing is sent to the backend, counted or told.

use crate::api::body::{Json as Body, address};
use crate::api::error::ApiError;
use crate::api::{Api, aside};
use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secbeat_l7::Policy;
use secbeat_l7::kill_switch::Stance;
use secbeat_l7::trial::{Found, Outcome, Trial, Unread};
use secbeat_types::{Action, Timestamp};
use secbeat_waf::{Exception, ExceptionSet, RuleError};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Who asks, where the call does not say: an address of nobody (RFC 5737).
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// A request to be tried.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Its bytes, head and body, in base64.
    request: String,
    /// Who asks.
    client_ip: Option<String>,
    /// The host that is asked, where it is not what `Host` says.
    host: Option<String>,
}

/// `POST /api/v1/waf/test`
pub async fn test(State(api): State<Arc<Api>>, Body(asked): Body<Asked>) -> Result<Json<Value>, ApiError> {
    let client = asked.client_ip.as_deref().map(address).transpose()?.unwrap_or(NOBODY);
    let bytes = STANDARD.decode(asked.request.trim()).map_err(|error| {
        ApiError::invalid_at("request", format!("expected a request in base64, padded (RFC 4648 4): {error}"))
    })?;
    let (policy, shared) = (api.control.shared.policy.load_full(), api.control.shared.clone());
    aside(move || {
        let now = shared.clock.now();
        let mut trial = match Trial::read(&bytes, client, &policy) {
            Ok(trial) => trial,
            Err(Unread::Refused(refusal)) => {
                return Ok(Json(shown(&policy, Stance::Normal, None, &Outcome::refused(&refusal))));
            }
            Err(Unread::Incomplete(expected)) => return Err(ApiError::invalid_at("request", expected)),
        };
        if let Some(host) = asked.host {
            trial.host = host.into_bytes();
        }
        let stance = shared.kill_switch.stance(&trial.host, now);
        let exceptions = with(&policy.exceptions, Vec::new()).map_err(super::exceptions::wrong)?;
        let outcome = trial.judge(&policy, &exceptions, stance, now);
        Ok(Json(shown(&policy, stance, Some(&trial), &outcome)))
    })
    .await?
}

/// A set of its own, that counts for nobody: what is in force, and `more`, which stand in the place of those with the same id.
pub fn with(in_force: &ExceptionSet, more: Vec<Exception>) -> Result<ExceptionSet, RuleError> {
    let is_replaced = |known: &Exception| more.iter().any(|new| new.id == known.id);
    let mut all: Vec<Exception> =
        in_force.hits().map(|(known, _)| known).filter(|known| !is_replaced(known)).cloned().collect();
    all.extend(more);
    ExceptionSet::compile(all)
}

/// Whether rules would stop a request that was recorded, as the policy is at `now`.
pub fn is_stopped(policy: &Policy, exceptions: &ExceptionSet, trial: &Trial, now: Timestamp) -> bool {
    trial.judge(policy, exceptions, Stance::Normal, now).stops()
}

fn shown(policy: &Policy, stance: Stance, trial: Option<&Trial>, outcome: &Outcome) -> Value {
    let site = trial.map(|trial| trial.site(policy));
    let waf = site.and_then(|site| site.waf.as_ref());
    let mode = match (waf, stance) {
        (None, _) | (_, Stance::Off) => "off",
        (Some(_), Stance::Monitor) => "monitor",
        (Some(waf), _) if waf.scope.is_monitor() => "monitor",
        (Some(_), _) => "block",
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    json!({
        "verdict": outcome.action.unwrap_or(Action::Pass),
        "stopped": outcome.stops(),
        "status": outcome.status,
        "reason": outcome.reason,
        "generation": policy.generation,
        "site": site.map(|site| &*site.name),
        "mode": trial.map(|_| mode),
        "request": trial.map(|trial| json!({
            "client_ip": trial.client,
            "host": text(&trial.host),
            "method": text(&trial.method),
            "target": text(&trial.target),
            "body_bytes": trial.body.len(),
            "body_inspected": outcome.body_inspected,
        })),
        "scores": outcome.scores,
        "excepted": outcome.excepted,
        "matches": outcome.matches.iter().map(found).collect::<Vec<_>>(),
    })
}

fn found(found: &Found) -> Value {
    let mut shown = json!(found.told);
    if let Some(trace) = &found.trace {
        shown["value"] = json!(String::from_utf8_lossy(&trace.value));
        shown["file"] = json!(trace.file);
        shown["line"] = json!(trace.line);
        shown["phase"] = json!(trace.phase);
    }
    shown
}
