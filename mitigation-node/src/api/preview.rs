//! What exceptions would let through: recorded requests are tried with them and without.

use crate::api::body::Json as Body;
use crate::api::error::ApiError;
use crate::api::proposal::{Matched, Stopped, host_of, trial_of};
use crate::api::records::search;
use crate::api::trial::{is_stopped, with};
use crate::api::{Api, aside, exceptions};
use axum::Json;
use axum::extract::State;
use secbeat_l7::Policy;
use secbeat_l7::kill_switch::Stance;
use secbeat_telemetry::RecordQuery;
use secbeat_telemetry::recorder::Record;
use secbeat_types::{Action, Timestamp};
use secbeat_waf::{Exception, parse_exceptions};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Records that are tried where the call does not say, and the most that it can ask for.
const LIMIT: usize = 200;
const LIMIT_MAX: usize = 500;
/// Requests that are shown.
const SHOWN: usize = 10;
/// How often what still stops a request is added to its exceptions.
const ROUNDS_MAX: usize = 8;
/// Previews at once: each is the work of a thousand requests.
static PREVIEWS: Semaphore = Semaphore::const_new(1);

/// Which exceptions: one of the two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// These.
    exceptions: Option<Vec<Value>>,
    /// Those that let this request through: the number of an event, or the id of a request.
    from_event: Option<String>,
    /// Whether they are for its client alone.
    #[serde(default)]
    client: bool,
    /// At most so many records.
    limit: Option<usize>,
}

/// `POST /api/v1/waf/preview`
pub async fn preview(State(api): State<Arc<Api>>, Body(asked): Body<Asked>) -> Result<Json<Value>, ApiError> {
    let limit = match asked.limit.unwrap_or(LIMIT) {
        limit @ 1..=LIMIT_MAX => limit,
        other => {
            let message = format!("expected a number of records, 1 to {LIMIT_MAX}, found {other}");
            return Err(ApiError::invalid_at("limit", message));
        }
    };
    // It is never closed.
    let _place = PREVIEWS.acquire().await;
    let policy = api.control.shared.policy.load_full();
    let now = api.control.shared.clock.now();
    let (proposed, own) = match (asked.exceptions, asked.from_event) {
        (Some(given), None) if !asked.client => {
            let text = json!({ "exceptions": given }).to_string();
            (parse_exceptions(&text).map_err(exceptions::wrong)?, None)
        }
        (None, Some(id)) => {
            let stopped = Stopped::find(&api, &id).await?;
            let policy = policy.clone();
            aside(move || propose(&policy, stopped, asked.client, now)).await??
        }
        _ => {
            return Err(ApiError::invalid(
                "expected `exceptions` with a list of them, or `from_event` with the number of an event or the id of a request, and \
                 then perhaps `client`",
            ));
        }
    };
    let wanted = RecordQuery { stopped: Some(true), limit, ..RecordQuery::default() };
    let records = search(&api.control.shared, wanted).await?.records;
    aside(move || shown(&policy, proposed, own, &records, now).map(Json)).await?
}

/// What came of the request that exceptions are made for.
struct Own {
    request_id: String,
    /// Whether it would pass; `None`: it was not recorded, or not whole.
    passes: Option<bool>,
}

/// Exceptions for a request. What events tell is not all: a rule tells of one value, and where more stops the request once these
/// do not, that is added.
fn propose(
    policy: &Policy,
    mut stopped: Stopped,
    with_client: bool,
    now: Timestamp,
) -> Result<(Vec<Exception>, Option<Own>), ApiError> {
    let mut proposed = stopped.exceptions(with_client)?;
    let mut passes = None;
    if let Some(trial) = stopped.record.as_ref().and_then(trial_of) {
        for _ in 0..ROUNDS_MAX {
            let exceptions = with(&policy.exceptions, proposed.clone()).map_err(exceptions::wrong)?;
            let outcome = trial.judge(policy, &exceptions, Stance::Normal, now);
            passes = Some(!outcome.stops());
            let stopping = outcome.matches.iter().filter(|found| found.told.action > Action::Log);
            let stopping = stopping.map(|found| Matched {
                rule: found.told.rule_id.to_string(),
                variable: found.told.variable.clone(),
            });
            if !outcome.stops() || !stopped.also(stopping) {
                break;
            }
            proposed = stopped.exceptions(with_client)?;
        }
    }
    Ok((proposed, Some(Own { request_id: stopped.request_id, passes })))
}

fn shown(
    policy: &Policy,
    proposed: Vec<Exception>,
    own: Option<Own>,
    records: &[Record],
    now: Timestamp,
) -> Result<Value, ApiError> {
    let without = with(&policy.exceptions, Vec::new()).map_err(exceptions::wrong)?;
    let with = with(&policy.exceptions, proposed.clone()).map_err(exceptions::wrong)?;
    let (mut examined, mut stopped, mut passing) = (0, 0, Vec::new());
    for record in records {
        let Some(trial) = trial_of(record) else { continue };
        examined += 1;
        if is_stopped(policy, &without, &trial, now) {
            stopped += 1;
            if !is_stopped(policy, &with, &trial, now) {
                passing.push(record);
            }
        }
    }
    let requests = passing.iter().take(SHOWN).map(|record| {
        json!({
            "request_id": record.request_id,
            "timestamp": record.timestamp,
            "client_ip": record.client_ip,
            "method": record.method,
            "host": host_of(record),
            "target": record.target,
        })
    });
    Ok(json!({
        "exceptions": proposed,
        "request": own.map(|own| json!({ "request_id": own.request_id, "passes": own.passes })),
        "records": records.len(),
        "examined": examined,
        "stopped": stopped,
        "would_pass": passing.len(),
        "requests": requests.collect::<Vec<_>>(),
    }))
}
