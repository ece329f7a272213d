//! Recorded requests, the newest first.

use crate::api::body::{Query, address};
use crate::api::error::ApiError;
use crate::api::{Api, aside};
use axum::Json;
use axum::extract::State;
use secbeat_l7::Shared;
use secbeat_telemetry::RecordQuery;
use secbeat_telemetry::recorder::Found;
use secbeat_types::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Records where the call does not say, and the most that it can ask for.
const LIMIT: usize = 50;
const LIMIT_MAX: usize = 500;
/// Searches at once: each reads files, and the threads that do such work are few. A process has one API.
static SEARCHES: Semaphore = Semaphore::const_new(2);
/// How long a search waits for what was recorded just before.
const PATIENCE: Duration = Duration::from_millis(100);

/// Which records.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    ip: Option<String>,
    request_id: Option<String>,
    since: Option<String>,
    stopped: Option<bool>,
    limit: Option<usize>,
}

/// `GET /api/v1/records?ip=&request_id=&since=&stopped=&limit=`
pub async fn list(
    State(api): State<Arc<Api>>,
    Query(filter): Query<Filter>,
) -> Result<Json<Value>, ApiError> {
    let found = search(&api.control.shared, query(filter)?).await?;
    let mut answer = json!({ "records": found.records });
    if found.cut_short {
        answer["cut_short"] = json!(true);
    }
    Ok(Json(answer))
}

/// Looks for records, behind others who do.
pub(super) async fn search(shared: &Shared, query: RecordQuery) -> Result<Found, ApiError> {
    let recorder = shared.ledgers.recorder.clone();
    // It is never closed.
    let _place = SEARCHES.acquire().await;
    aside(move || {
        recorder.flush(PATIENCE);
        recorder.query(&query)
    })
    .await
}

fn query(filter: Filter) -> Result<RecordQuery, ApiError> {
    let since = filter
        .since
        .map(|text| Timestamp::parse(&text).map_err(|error| ApiError::invalid_at("since", error)));
    let limit = match filter.limit.unwrap_or(LIMIT) {
        limit @ 1..=LIMIT_MAX => limit,
        other => {
            let message = format!("expected a number of records, 1 to {LIMIT_MAX}, found {other}");
            return Err(ApiError::invalid_at("limit", message));
        }
    };
    if filter.request_id.as_deref() == Some("") {
        return Err(ApiError::invalid_at("request_id", "expected an id as in x-request-id, found nothing"));
    }
    Ok(RecordQuery {
        ip: filter.ip.as_deref().map(address).transpose()?,
        request_id: filter.request_id,
        since: since.transpose()?,
        stopped: filter.stopped,
        limit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(filter: Value) -> Result<RecordQuery, ApiError> {
        query(serde_json::from_value(filter).unwrap())
    }

    #[test]
    fn a_query_says_which_records_are_wanted() {
        assert_eq!(read(json!({})).unwrap(), RecordQuery::default());
        let wanted = json!({ "ip": "::ffff:192.0.2.7", "stopped": true, "since": "2026-01-15T10:30:45Z", "limit": 500 });
        let query = read(wanted).unwrap();
        assert_eq!(query.ip.unwrap().to_string(), "192.0.2.7");
        assert_eq!((query.stopped, query.limit), (Some(true), 500));
        assert_eq!(query.since.unwrap().to_string(), "2026-01-15T10:30:45Z");
    }

    #[test]
    fn what_cannot_be_asked_for_is_refused() {
        for filter in [
            json!({ "ip": "home" }),
            json!({ "since": "17" }),
            json!({ "limit": 0 }),
            json!({ "limit": 501 }),
            json!({ "request_id": "" }),
        ] {
            assert!(read(filter.clone()).is_err(), "{filter}");
        }
    }
}
