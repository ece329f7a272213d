//! What happens, as it happens.

use crate::arguments::{Output, Target};
use crate::calls::{refusal, write};
use crate::client::json_of;
use crate::failure::Failure;
use crate::nouns::event;
use crate::show;
use crate::sse::{Message, Reader};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Response, StatusCode};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long a stream may be silent: a node sends a comment each 15 s.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// How long to wait before a stream that ended is asked for again.
const PAUSE: Duration = Duration::from_secs(1);

/// Prints events until Ctrl-C, or until nobody reads them any more. A stream that ends is taken up where it ended.
///
/// # Errors
/// The node refuses it, or cannot be reached at first.
pub async fn until_interrupted(target: &Target, path: String) -> Result<(), Failure> {
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Ok(()),
        outcome = follow(target, path) => outcome,
    }
}

/// How a stream came to its end.
enum End {
    /// The node, or what is between, has ended it.
    Lost(String),
    /// Nobody reads what is printed.
    Unread,
}

async fn follow(target: &Target, path: String) -> Result<(), Failure> {
    let mut reader = Reader::default();
    let mut has_begun = false;
    let mut is_told = false;
    loop {
        let last_id = reader.last_id.clone();
        let why = match target.node.open(path.clone(), target.token.as_deref(), last_id.as_deref()).await {
            Err(failure) if !has_begun => return Err(failure),
            Err(failure) => failure.message,
            Ok(response) if response.status().is_success() => {
                (has_begun, is_told) = (true, false);
                match print_all(target, response, &mut reader).await {
                    End::Unread => return Ok(()),
                    End::Lost(why) => why,
                }
            }
            // Too many may follow at the moment, or the node is about to stop.
            Ok(response) if has_begun && is_passing(response.status()) => response.status().to_string(),
            Ok(response) => {
                let status = response.status();
                return Err(refusal(target, status, &json_of(response).await.unwrap_or_default()));
            }
        };
        if !std::mem::replace(&mut is_told, true) {
            eprintln!("the stream has ended: {why}; trying again each second");
        }
        reader.restart();
        sleep(PAUSE).await;
    }
}

/// Whether what was refused now may be granted soon.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

async fn print_all(target: &Target, mut response: Response<Incoming>, reader: &mut Reader) -> End {
    loop {
        let frame = match timeout(SILENCE_MAX, response.frame()).await {
            Err(_) => return End::Lost(format!("nothing came for {} s", SILENCE_MAX.as_secs())),
            Ok(None) => return End::Lost("the node has closed it".into()),
            Ok(Some(Err(error))) => return End::Lost(error.to_string()),
            Ok(Some(Ok(frame))) => frame,
        };
        let Some(bytes) = frame.data_ref() else { continue };
        let messages = match reader.read(bytes) {
            Ok(messages) => messages,
            Err(why) => return End::Lost(why),
        };
        for message in messages {
            if write(&line(target.output, &message)).is_err() {
                return End::Unread;
            }
        }
    }
}

fn line(output: Output, message: &Message) -> String {
    let event: Value = serde_json::from_str(&message.data).unwrap_or_default();
    match output {
        Output::Json => show::json(&format!("{event}\n")),
        Output::Human if message.event == "gap" && event["missed"].is_null() => {
            "(the node has started anew: events may be missing here)\n".into()
        }
        Output::Human if message.event == "gap" => {
            format!("({} events were missed here)\n", show::field(&event, "missed"))
        }
        Output::Human => event::row(&event).join("  ") + "\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_waits_for_a_place_that_is_taken_and_for_no_permission() {
        assert!(is_passing(StatusCode::TOO_MANY_REQUESTS) && is_passing(StatusCode::SERVICE_UNAVAILABLE));
        assert!(!is_passing(StatusCode::UNAUTHORIZED) && !is_passing(StatusCode::UNPROCESSABLE_ENTITY));
    }

    #[test]
    fn an_event_is_a_line_and_a_gap_is_told() {
        let data = r#"{"timestamp":"2026-01-01T00:00:00Z","event":"attack_detected","client_ip":"192.0.2.7",
            "status":403,"method":"GET","target":"/\u009b","reason":"rule a"}"#;
        let attack = Message { event: "attack_detected".into(), data: data.into() };
        assert_eq!(
            line(Output::Human, &attack),
            "2026-01-01T00:00:00Z  attack_detected  192.0.2.7  -  403  GET /\\u{9b}  rule a\n"
        );
        let text = line(Output::Json, &attack);
        assert!(text.lines().count() == 1 && text.contains("/\\u009b"), "{text}");
        let gap = Message { event: "gap".into(), data: r#"{"missed":3}"#.into() };
        assert_eq!(line(Output::Human, &gap), "(3 events were missed here)\n");
        let anew = Message { event: "gap".into(), data: r#"{"missed":null}"#.into() };
        assert!(line(Output::Human, &anew).contains("started anew"));
    }
}
