//! Metrics and health.

use crate::api::{Api, panic};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use secbeat_telemetry::ProcessUsage;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

/// Everything in the Prometheus text format.
pub async fn metrics(State(api): State<Arc<Api>>) -> impl IntoResponse {
    let metrics = &api.control.shared.metrics;
    metrics.tick(Instant::now(), ProcessUsage::read());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render())
}

/// Whether the program runs.
pub async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Whether it serves: every worker takes connections, and it is not stopping. 503 where not.
pub async fn ready(State(api): State<Arc<Api>>) -> impl IntoResponse {
    let lifecycle = &api.control.shared.lifecycle;
    let (status, word) = match (lifecycle.is_draining(), lifecycle.workers_ready() >= api.workers) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        (false, false) => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
        (false, true) => (StatusCode::OK, "ready"),
    };
    (status, Json(json!({ "status": word })))
}

/// What the node is, does, and does without.
pub async fn status(State(api): State<Arc<Api>>) -> Json<Value> {
    let view = api.control.view();
    let settings = &view.settings;
    let shared = &api.control.shared;
    let degraded: Vec<Value> = view
        .degraded
        .iter()
        .map(|missing| json!({ "key": missing.key, "why": missing.why, "remedy": missing.remedy }))
        .collect();
    Json(json!({
        "status": if degraded.is_empty() { "ok" } else { "degraded" },
        "version": env!("CARGO_PKG_VERSION"),
        "mode": settings.server.mode.as_str(),
        "generation": view.generation,
        "uptime_seconds": shared.started.elapsed().as_secs(),
        "workers": lifecycle_workers(&api),
        "connections_active": shared.metrics.connections_active(),
        "waf": {
            "enabled": settings.waf.enable,
            "mode": settings.waf.mode.as_str(),
            "rules": view.rules.rules().len(),
            "exceptions": view.exceptions.len(),
            "durable": view.is_durable && api.control.kill_switch.is_saved(),
        },
        "decisions": { "in_force": shared.decisions.snapshot().len(), "durable": shared.decisions.is_durable() },
        "panic": panic::turned(shared),
        "degraded": degraded,
    }))
}

fn lifecycle_workers(api: &Api) -> usize {
    api.control.shared.lifecycle.workers_ready()
}
