//! What happens, as it happens: server-sent events (WHATWG HTML, "Server-sent events").

use crate::api::Api;
use crate::api::body::Query;
use crate::api::error::ApiError;
use crate::api::events::query;
use axum::body::{Body, Bytes};
use axum::extract::State;
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
    Query(filter): Query<Filter>,
) -> Result<impl IntoResponse, ApiError> {
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
            if text.is_empty() && this.spoken.is_none_or(|spoken| now.duration_since(spoken) >= KEEP_ALIVE) {
                // What was not asked for has been seen too: whoever comes back missed none of it.
                text = format!(": keep-alive\nid: {}\n\n", this.cursor.seen);
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
    /// What its stream begins with.
    greeting: Option<String>,
}

impl Cursor {
    fn new(events: &EventRing, query: EventQuery) -> Self {
        let newest = events.drain();
        // The first word tells the reader that it is connected.
        let mut greeting = ": connected\n".to_owned();
        let seen = match query.since {
            Some(Since::Id(id)) if (events.base()..=newest).contains(&id) => id,
            // An id of another life of the node: all that happened in this one is new, and nobody knows what is gone with the
            // other.
            Some(Since::Id(id)) => {
                if id != 0 {
                    greeting.push_str("event: gap\ndata: {\"missed\":null}\n");
                }
                events.base()
            }
            // It is looked for from the oldest event that is kept; what is gone is not missed.
            Some(Since::Time(at)) => events.first_since(at).map_or(newest, |first| first - 1),
            None => newest,
        };
        // Who has seen nothing yet comes back to where it began.
        greeting.push_str(&format!("id: {seen}\n\n"));
        let since = query.since.filter(|since| matches!(since, Since::Time(_)));
        Cursor { query: EventQuery { since, ..query }, seen, greeting: Some(greeting) }
    }

    /// What has happened since, as the stream has it.
    fn next(&mut self, events: &EventRing) -> String {
        let mut text = self.greeting.take().unwrap_or_default();
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
        assert_eq!(cursor.next(&events), ": connected\nid: 3\n\n");
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
        let text = Cursor::new(&events, from(Since::Id(3))).next(&events);
        assert_eq!(ids(&text), [3, 4, 5]);
        assert!(!text.contains("gap"), "{text}");
        happen(&events, EventKind::Attack, secbeat_telemetry::events::EVENTS_MAX);
        let mut cursor = Cursor::new(&events, from(Since::Id(2)));
        let text = cursor.next(&events);
        assert!(
            text.starts_with(": connected\nid: 2\n\nevent: gap\ndata: {\"missed\":3}\n\nid: 6\n"),
            "{}",
            &text[..80]
        );
        let beginning = Since::Time(secbeat_types::Timestamp::from_unix_ms(0));
        let text = Cursor::new(&events, from(beginning)).next(&events);
        assert!(text.starts_with(": connected\nid: 5\n\nid: 6\n"), "{}", &text[..80]);
    }

    #[test]
    fn who_followed_an_earlier_life_hears_that_it_has_ended() {
        let events = EventRing::after_id(1000);
        happen(&events, EventKind::Attack, 2);
        for earlier in [1, 900, 5000] {
            let query = EventQuery { since: Some(Since::Id(earlier)), ..EventQuery::default() };
            let text = Cursor::new(&events, query).next(&events);
            assert!(text.contains("event: gap\ndata: {\"missed\":null}\n"), "{text}");
            assert_eq!(ids(&text), [1000, 1001, 1002]);
        }
        let all = EventQuery { since: Some(Since::Id(0)), ..EventQuery::default() };
        assert!(!Cursor::new(&events, all).next(&events).contains("gap"));
    }

    #[test]
    fn what_was_not_asked_for_is_left_out_and_is_no_gap() {
        let events = EventRing::default();
        let attacks = EventQuery { kind: Some(EventKind::Attack), ..EventQuery::default() };
        let mut cursor = Cursor::new(&events, attacks);
        happen(&events, EventKind::Limit, 2);
        happen(&events, EventKind::Attack, 1);
        let text = cursor.next(&events);
        assert_eq!(ids(&text), [0, 3]);
        assert!(!text.contains("gap"));
    }
}
