//! Why a client or a request is, or was, let through or stopped: exactly what the data plane saw.

use crate::api::body::{Query, address};
use crate::api::error::ApiError;
use crate::api::records::search;
use crate::api::{Api, aside, panic};
use axum::Json;
use axum::extract::State;
use secbeat_l7::kill_switch::Stance;
use secbeat_l7::ledger;
use secbeat_l7::shared::Standing;
use secbeat_l7::stage::{Stage, flag};
use secbeat_l7::{Policy, Shared};
use secbeat_telemetry::{Query as EventQuery, RecordQuery, Trace};
use secbeat_types::decision::scope_of_address;
use secbeat_types::{Event, EventKind};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// Events that are shown of a client.
const EVENTS: usize = 10;
/// How often a request is looked for again that is not there, and at which distance: its worker writes it down after its answer.
const LOOKS: usize = 5;
const LOOK_PERIOD: std::time::Duration = std::time::Duration::from_millis(20);
/// Events of a client among which that of a request is looked for.
pub(super) const EVENTS_SEARCHED: usize = 1000;

/// What to explain: one of the two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct What {
    ip: Option<String>,
    request_id: Option<String>,
}

/// `GET /api/v1/explain?ip=` or `?request_id=`
pub async fn explain(State(api): State<Arc<Api>>, Query(what): Query<What>) -> Result<Json<Value>, ApiError> {
    let shared = api.control.shared.clone();
    match (what.ip, what.request_id) {
        (Some(ip), None) => {
            let ip = address(&ip)?;
            aside(move || Ok(Json(of_client(&shared, ip)))).await?
        }
        (None, Some(id)) => of_request(shared, &id).await.map(Json),
        _ => Err(ApiError::invalid(
            "expected ?ip= with an address, or ?request_id= with the X-Request-Id of an answer",
        )),
    }
}

fn of_client(shared: &Shared, ip: IpAddr) -> Value {
    let now = shared.clock.now();
    let policy = shared.policy.load();
    let considered = shared.decisions.snapshot().considered(ip);
    let standing = shared.standing(ip, now);
    let in_force = match &standing {
        Standing::Unknown => None,
        _ => shared.decisions.current().lookup(ip, now),
    };
    let listed: Vec<Value> = considered
        .iter()
        .map(|(decision, precedence)| {
            json!({
                "decision": decision,
                "precedence": precedence.as_str(),
                "in_force": decision.is_in_force(now),
            })
        })
        .collect();
    let verdict = match standing {
        Standing::Blocked(_) => "block",
        Standing::Allowed(_) => "allow",
        Standing::Unknown => "pass",
    };
    let now_ns = shared.since_start_ns(Instant::now());
    let rates: Vec<Value> = policy
        .rates
        .usage(shared, ip, now_ns)
        .map(|(limit, usage)| {
            json!({
                "limit": limit,
                "used": usage.used,
                "burst": usage.burst,
                "retry_after_s": usage.retry_after.as_secs_f64().ceil() as u64,
            })
        })
        .collect();
    let limit = Some(policy.connections_per_address).filter(|limit| *limit > 0);
    let newest = EventQuery { ip: Some(ip), limit: EVENTS, ..EventQuery::default() };
    json!({
        "ip": ip,
        "scope": scope_of_address(ip),
        "verdict": verdict,
        "in_force": in_force,
        "considered": listed,
        "rates": rates,
        "connections": { "open": shared.connections.count(ip), "limit": limit },
        "panic": turned(shared),
        "events": shared.events.query(&newest).events,
    })
}

/// The kill switch, where it is turned.
fn turned(shared: &Shared) -> Option<Vec<Value>> {
    (shared.kill_switch.strongest(shared.clock.now()) != Stance::Normal).then(|| panic::turned(shared))
}

async fn of_request(shared: Arc<Shared>, text: &str) -> Result<Value, ApiError> {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten().ok_or_else(|| {
        let message =
            format!("expected the 16 hexadecimal digits of an answer's X-Request-Id, found {text:?}");
        ApiError::invalid_at("request_id", message)
    })?;
    let text = text.to_ascii_lowercase();
    let trace = find(&shared, id).await?;
    // A record is of the time of its trace: older files need not be read.
    let since = trace.as_ref().map(|trace| trace.at);
    let wanted = RecordQuery { request_id: Some(text.clone()), since, limit: 1, ..RecordQuery::default() };
    let record = search(&shared, wanted).await?.records.into_iter().next();
    // A request that has only just been answered is written down meanwhile.
    let mut trace = trace;
    for _ in 0..LOOKS {
        if trace.is_some() {
            break;
        }
        tokio::time::sleep(LOOK_PERIOD).await;
        trace = find(&shared, id).await?;
    }
    let Some(trace) = trace else {
        if let Some(record) = record {
            return Ok(
                json!({ "request_id": text, "trace": [], "event": null, "rules": [], "record": record }),
            );
        }
        return Err(ApiError::not_found(format!(
            "nothing is known of {text}: it is under way still, or was answered before the start, or so many requests ago that \
             its trace is gone, and it was not recorded ([recorder] keeps what is stopped and a sample of the rest)"
        )));
    };
    aside(move || {
        let searched = EventQuery { ip: Some(trace.client), limit: EVENTS_SEARCHED, ..EventQuery::default() };
        let page = shared.events.query(&searched);
        let events = page.events.iter().filter(|event| event.request_id.as_deref() == Some(text.as_str()));
        let events: Vec<&Event> = events.map(Arc::as_ref).collect();
        shown(&shared.policy.load(), &text, &trace, &events, json!(record))
    })
    .await
}

pub(super) async fn find(shared: &Arc<Shared>, id: u64) -> Result<Option<Trace>, ApiError> {
    let shared = shared.clone();
    aside(move || shared.ledgers.find(id)).await
}

/// `events`: those of the request, the newest first.
fn shown(policy: &Policy, id: &str, trace: &Trace, events: &[&Event], record: Value) -> Value {
    let event = events.first();
    // Sites are numbered within a policy; of an earlier one the name is not known any more.
    let is_same = u64::from(trace.generation) == policy.generation;
    let site = is_same.then(|| policy.sites.at(trace.site.into()).name.clone());
    json!({
        "request_id": id,
        "at": trace.at,
        "client_ip": trace.client,
        "connection_id": format!("conn_{}", trace.connection),
        "generation": trace.generation,
        "site": site,
        "method": event.and_then(|event| event.method.as_deref()),
        "host": event.and_then(|event| event.host.as_deref()),
        "target": event.and_then(|event| event.target.as_deref()),
        "status": trace.status,
        "duration_ms": f64::from(trace.duration_us) / 1000.0,
        "action": ledger::action(trace.flags),
        "trace": steps(trace, events),
        "event": event,
        "rules": site.map_or_else(Vec::new, |_| places(policy, trace.site.into(), event.copied())),
        "record": record,
    })
}

/// Where the rules in SecLang are that an event names.
fn places(policy: &Policy, site: usize, event: Option<&Event>) -> Vec<Value> {
    let waf = policy.sites.at(site).waf.as_ref();
    let Some(program) = waf.and_then(|waf| waf.rules.seclang()) else { return Vec::new() };
    let mut ids: Vec<&str> =
        event.iter().flat_map(|event| &event.matches).map(|found| &*found.rule_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let place = |id: &str| {
        let number: u64 = id.parse().ok()?;
        let rule = program.rules().iter().find(|rule| rule.id == number)?;
        Some(json!({ "id": id, "file": rule.file, "line": rule.line }))
    };
    ids.into_iter().filter_map(place).collect()
}

/// The stages that the request came to, in order, and what each said.
fn steps(trace: &Trace, events: &[&Event]) -> Vec<Value> {
    let has = |bit: u8| trace.flags & bit != 0;
    let reached = Stage::ALL.iter().filter(|stage| **stage as u8 <= trace.stage);
    reached
        .map(|stage| {
            let is_last = *stage as u8 == trace.stage;
            let noted = events.iter().find(|event| !event.blocked && stage_of(event) == Some(*stage));
            let (verdict, why) = match (stage, noted) {
                _ if is_last && has(flag::STOPPED) => {
                    ("stop", events.first().map(|event| event.reason.clone()))
                }
                (_, Some(event)) => ("log", Some(event.reason.clone())),
                (Stage::Decision, _) if has(flag::ALLOWED) => {
                    ("allow", Some(format!("dec_{}", trace.decision)))
                }
                (Stage::Rates, _) if has(flag::ALLOWED) => {
                    ("skipped", Some("the client is on the allowlist".into()))
                }
                (Stage::FirewallHead | Stage::FirewallBody, _) if has(flag::UNWATCHED) => {
                    ("skipped", Some("the firewall is off here".into()))
                }
                (Stage::FirewallBody, _) if !has(flag::BODY_INSPECTED) => {
                    ("skipped", Some("there is no body that is inspected".into()))
                }
                (Stage::FirewallBody, _) if has(flag::BODY_CUT) => {
                    ("pass", Some("its first part was inspected: waf.inspect_body_limit".into()))
                }
                (Stage::FirewallHead, _) if has(flag::LOGGED | flag::SANITIZED) && events.is_empty() => {
                    let why = "the firewall or a rate found something; the event that told what is not kept";
                    ("log", Some(why.into()))
                }
                _ => ("pass", None),
            };
            json!({ "stage": stage.as_str(), "verdict": verdict, "why": why })
        })
        .collect()
}

/// The stage that let a request go on and told of it by this event.
fn stage_of(event: &Event) -> Option<Stage> {
    // Without a match it is the body as a whole: its coding, or its length.
    let is_of_body = || event.matches.first().is_none_or(|found| found.variable.starts_with("body"));
    match event.kind {
        EventKind::Limit if event.component != "waf" => Some(Stage::Rates),
        EventKind::Limit | EventKind::Attack if is_of_body() => Some(Stage::FirewallBody),
        EventKind::Limit | EventKind::Attack => Some(Stage::FirewallHead),
        _ => None,
    }
}
