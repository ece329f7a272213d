//! Exceptions: what rules let pass all the same.

use crate::api::access::Actor;
use crate::api::body::{Name, Text};
use crate::api::error::ApiError;
use crate::api::{Api, aside};
use crate::control::ExceptionsChanged;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use secbeat_waf::{RuleError, parse_exceptions};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /api/v1/waf/exceptions`
pub async fn list(State(api): State<Arc<Api>>) -> Result<Json<Value>, ApiError> {
    let (view, now) = (api.control.view(), api.control.shared.clock.now());
    let listed = aside(move || {
        let shown = view.exceptions.hits().filter(|(exception, _)| exception.is_in_force(now)).map(
            |(exception, hits)| {
                let mut shown = json!(exception);
                shown["hits"] = json!(hits.count);
                if let Some(last) = hits.last {
                    shown["last_hit_at"] = json!(last);
                }
                shown
            },
        );
        json!({ "generation": view.generation, "exceptions": shown.collect::<Vec<_>>() })
    });
    Ok(Json(listed.await?))
}

/// `POST /api/v1/waf/exceptions`
pub async fn set(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    Text(text): Text,
) -> Result<(StatusCode, Json<ExceptionsChanged>), ApiError> {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(&text) {
        return Err(ApiError::malformed(format!("expected JSON: {error}")));
    }
    let exceptions = parse_exceptions(&text).map_err(wrong)?;
    let control = api.control.clone();
    changed(aside(move || control.set_exceptions(exceptions, control.shared.clock.now(), &actor.0)).await?)
}

/// `DELETE /api/v1/waf/exceptions/{id}`
pub async fn delete(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    Name(id): Name,
) -> Result<(StatusCode, Json<ExceptionsChanged>), ApiError> {
    let control = api.control.clone();
    let of_call = id.clone();
    match aside(move || control.delete_exception(&of_call, &actor.0)).await? {
        Some(outcome) => changed(outcome),
        None => Err(ApiError::not_found(format!(
            "there is no exception {id:?}; GET /api/v1/waf/exceptions lists them"
        ))),
    }
}

fn changed(
    outcome: Result<ExceptionsChanged, RuleError>,
) -> Result<(StatusCode, Json<ExceptionsChanged>), ApiError> {
    let changed = outcome.map_err(wrong)?;
    Ok((if changed.durable { StatusCode::OK } else { StatusCode::ACCEPTED }, Json(changed)))
}

pub(super) fn wrong(error: RuleError) -> ApiError {
    ApiError::invalid(error.to_string())
}
