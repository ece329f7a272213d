//! What happened: the newest events, a page at a time.

use crate::api::Api;
use crate::api::body::{Query, address};
use crate::api::error::ApiError;
use axum::Json;
use axum::extract::State;
use secbeat_telemetry::events::LIMIT_MAX;
use secbeat_telemetry::{Query as EventQuery, Since};
use secbeat_types::EventKind;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Events on a page where the call does not say.
const LIMIT: usize = 100;

/// Which events.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    #[serde(rename = "type")]
    kind: Option<String>,
    since: Option<String>,
    before: Option<u64>,
    ip: Option<String>,
    limit: Option<usize>,
}

/// `GET /api/v1/events?type=&since=&before=&ip=&limit=`
pub async fn list(
    State(api): State<Arc<Api>>,
    Query(filter): Query<Filter>,
) -> Result<Json<Value>, ApiError> {
    let page = api.control.shared.events.query(&filter.query()?);
    Ok(Json(json!({ "events": page.events, "next": page.next })))
}

impl Filter {
    fn query(self) -> Result<EventQuery, ApiError> {
        let limit = match self.limit.unwrap_or(LIMIT) {
            limit @ 1..=LIMIT_MAX => limit,
            other => {
                let message = format!("expected a number of events, 1 to {LIMIT_MAX}, found {other}");
                return Err(ApiError::invalid_at("limit", message));
            }
        };
        let of_whom = query(self.kind.as_deref(), self.since.as_deref(), self.ip.as_deref())?;
        Ok(EventQuery { before: self.before, limit, ..of_whom })
    }
}

/// What `type=`, `since=` and `ip=` ask for.
pub fn query(kind: Option<&str>, since: Option<&str>, ip: Option<&str>) -> Result<EventQuery, ApiError> {
    let kind = kind.map(|name| {
        EventKind::ALL.iter().copied().find(|kind| kind.as_str() == name).ok_or_else(|| {
            let known: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
            ApiError::invalid_at("type", format!("expected one of {}, found {name:?}", known.join(", ")))
        })
    });
    let since = since.map(|text| text.parse::<Since>().map_err(|error| ApiError::invalid_at("since", error)));
    Ok(EventQuery {
        kind: kind.transpose()?,
        since: since.transpose()?,
        ip: ip.map(address).transpose()?,
        ..EventQuery::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_no_more_events_than_the_ring_gives() {
        let limit = |limit: usize| {
            let filter: Filter = serde_json::from_value(json!({ "limit": limit })).unwrap();
            filter.query().map(|query| query.limit).ok()
        };
        assert_eq!([0, 1, 1000, 1001].map(limit), [None, Some(1), Some(1000), None]);
    }
}
