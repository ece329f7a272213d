//! What happens, as it happens: server-sent events (WHATWG HTML, "Server-sent events").

use crate::api::Api;
use crate::api::error::ApiError;
use crate::api::events::query;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use hyper::body::Frame;
use secbeat_l7::Shared;
use secbeat_telemetry::{EventRing, Query as EventQuery, Since, plain_json};
use serde::Deserialize;
use std::convert::Infallible;
use std::fmt::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

/// Followers at once. A process has one API.
static FOLLOWERS: Semaphore = Semaphore::const_new(FOLLOWERS_MAX);
const FOLLOWERS_MAX: usize = 32;
/// How often it is looked whether something has happened.
const PERIOD: Duration = Duration::from_millis(200);
/// How long a follower hears nothing, at most.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What to follow.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    #[serde(rename = "type")]
    kind: Option<String>,
    ip: Option<String>,
    since: Option<String>,
}

/// `GET /api/v1/events/stream?type=&ip=&since=`: from now on, or from where `since` or `Last-Event-ID` say.
pub async fn follow(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<impl IntoResponse, ApiError> {
    let Query(filter) = filter.map_err(|error| ApiError::invalid(error.body_text()))?;
    let mut query = query(filter.kind.as_deref(), filter.since.as_deref(), filter.ip.as_deref())?;
    // A browser that connects again sends it, and its URL as before: the newer word counts.
    let last_seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    if let Some(id) = last_seen {
        query.since = Some(Since::Id(id));
    }
    let place = FOLLOWERS.try_acquire().map_err(|_| {
        ApiError::too_many(format!(
            "{FOLLOWERS_MAX} follow the events already; close one of them, or ask for pages"
        ))
    })?;
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let shared = api.control.shared.clone();
    let cursor = Cursor::new(&shared.events, query);
    let follower = Follower { shared, cursor, ticks, spoken: None, _place: place };
    let head = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((head, Body::new(follower)))
}

/// A body that goes on until the node stops or its reader goes away.
struct Follower {
    shared: Arc<Shared>,
    cursor: Cursor,
    ticks: Interval,
    spoken: Option<Instant>,
    _place: SemaphorePermit<'static>,
}

impl hyper::body::Body for Follower {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            let now = ready!(self.ticks.poll_tick(context));
            let this = &mut *self;
            let mut text = this.cursor.next(&this.shared.events);
            // The first word tells the reader that it is connected.
            if text.is_empty() && this.spoken.is_none_or(|spoken| now.duration_since(spoken) >= KEEP_ALIVE) {
                text.push_str(": keep-alive\n\n");
            }
            if !text.is_empty() {
                this.spoken = Some(now);
                return Poll::Ready(Some(Ok(Frame::data(text.into()))));
            }
            if this.shared.lifecycle.is_draining() {
                return Poll::Ready(None);
            }
        }
    }
}

/// How far a follower has come.
struct Cursor {
    query: EventQuery,
    seen: u64,
}

impl Cursor {
    fn new(events: &EventRing, query: EventQuery) -> Self {
        let newest = events.drain();
        let seen = match query.since {
            // An id of another life of the node: all that happened in this one is new.
            Some(Since::Id(id)) if (events.base()..=newest).contains(&id) => id,
            Some(Since::Id(_)) => events.base(),
            // It is looked for from the oldest event that is kept; what is gone is not missed.
            Some(Since::Time(_)) => events.after(0).first().map_or(newest, |oldest| oldest.id - 1),
            None => newest,
        };
        let since = query.since.filter(|since| matches!(since, Since::Time(_)));
        Cursor { query: EventQuery { since, ..query }, seen }
    }

    /// What has happened since, as the stream has it.
    fn next(&mut self, events: &EventRing) -> String {
        let mut text = String::new();
        for event in events.after(self.seen) {
            let missed = event.id - self.seen - 1;
            self.seen = event.id;
            // Writing to a String cannot fail.
            if missed > 0 {
                let _ = write!(text, "event: gap\ndata: {{\"missed\":{missed}}}\n\n");
            }
            if self.query.wants(&event)
                && let Ok(data) = serde_json::to_string(&*event)
            {
                let data = plain_json(&data);
                let _ = write!(text, "id: {}\nevent: {}\ndata: {data}\n\n", event.id, event.event);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secbeat_types::{Event, EventKind};

    fn happen(events: &EventRing, kind: EventKind, count: usize) {
        for _ in 0..count {
            events.push(Event::new(kind, "waf", "attack_detected", "a\nb\r\u{2028}"));
            events.drain();
        }
    }

    fn ids(text: &str) -> Vec<u64> {
        text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect()
    }

    #[test]
    fn a_follower_hears_what_happens_from_now_on_and_each_once() {
        let events = EventRing::default();
        happen(&events, EventKind::Attack, 3);
        let mut cursor = Cursor::new(&events, EventQuery::default());
        assert_eq!(cursor.next(&events), "");
        happen(&events, EventKind::Attack, 2);
        let text = cursor.next(&events);
        assert_eq!(ids(&text), [4, 5]);
        assert!(text.starts_with("id: 4\nevent: attack_detected\ndata: {\"id\":4,"), "{text}");
        // Text of clients begins no line: three lines an event, and an empty one.
        assert_eq!(text.split(['\n', '\r']).count(), 2 * 4 + 1);
        assert_eq!(cursor.next(&events), "");
    }

    #[test]
    fn who_comes_back_hears_what_he_missed_and_that_something_is_gone() {
        let events = EventRing::default();
        happen(&events, EventKind::Attack, 5);
        let from = |since| EventQuery { since: Some(since), ..EventQuery::default() };
        assert_eq!(ids(&Cursor::new(&events, from(Since::Id(3))).next(&events)), [4, 5]);
        let earlier_life = Since::Id(900);
        assert_eq!(ids(&Cursor::new(&events, from(earlier_life)).next(&events)), [1, 2, 3, 4, 5]);
        happen(&events, EventKind::Attack, secbeat_telemetry::events::EVENTS_MAX);
        let mut cursor = Cursor::new(&events, from(Since::Id(2)));
        let text = cursor.next(&events);
        assert!(text.starts_with("event: gap\ndata: {\"missed\":3}\n\nid: 6\n"), "{}", &text[..80]);
        let beginning = Since::Time(secbeat_types::Timestamp::from_unix_ms(0));
        assert!(Cursor::new(&events, from(beginning)).next(&events).starts_with("id: 6\n"));
    }

    #[test]
    fn what_was_not_asked_for_is_left_out_and_is_no_gap() {
        let events = EventRing::default();
        let attacks = EventQuery { kind: Some(EventKind::Attack), ..EventQuery::default() };
        let mut cursor = Cursor::new(&events, attacks);
        happen(&events, EventKind::Limit, 2);
        happen(&events, EventKind::Attack, 1);
        let text = cursor.next(&events);
        assert_eq!(ids(&text), [3]);
        assert!(!text.contains("gap"));
    }
}
