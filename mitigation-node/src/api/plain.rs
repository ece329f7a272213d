//! Answers that curl may show on a terminal, whatever clients put into what they tell of.

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::Response;
use secbeat_telemetry::plain_json;
use std::borrow::Cow;

/// `answer`, its JSON such that it drives no terminal.
pub async fn plain(answer: Response) -> Response {
    let is_json = answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !is_json {
        return answer;
    }
    let (mut head, body) = answer.into_parts();
    // Answers of JSON are in memory as a whole: reading them cannot fail.
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let plain = match std::str::from_utf8(&bytes).map(plain_json) {
        Ok(Cow::Owned(plain)) => plain,
        _ => return Response::from_parts(head, Body::from(bytes)),
    };
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::from(plain))
}
