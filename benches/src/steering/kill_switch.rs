//! How long until the kill switch is in force, while every core is busy with requests that the firewall stops.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;
use tokio::time::sleep;

use crate::Outcome;
use crate::aside;
use crate::peers::job::ATTACK;
use crate::steering::api::Api;
use crate::steering::background::{Background, Seen};
use crate::steering::node::Node;

/// How long everything must go one way for a turn to be over.
const SETTLE: Duration = Duration::from_millis(500);
/// How long a turn may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Every turn, milliseconds from before the call was made.
#[derive(Debug, Default, Serialize)]
pub struct Turns {
    /// Until the first request was let through.
    pub first_passed_ms: Vec<f64>,
    /// Until the last answer that said a request was stopped.
    pub last_stopped_ms: Vec<f64>,
    /// Until the call was answered.
    pub answered_ms: Vec<f64>,
}

/// Turns the switch off and back `count` times.
pub async fn measure(node: &Node, count: u32) -> Outcome<Turns> {
    let load = Background::start(node.proxy.port, ATTACK);
    let mut turns = Turns::default();
    for number in 0..count {
        eprintln!("kill switch under load: turn {} of {count}", number + 1);
        turn(node.api, &load, &mut turns).await.map_err(|failure| node.proxy.explain(failure))?;
    }
    load.stop().map(|()| turns)
}

async fn turn(api: Api, load: &Background, turns: &mut Turns) -> Outcome<()> {
    until(load, "every request is stopped", |seen| {
        seen.last_stopped().is_some() && seen.last_passed().is_none_or(|at| at.elapsed() > SETTLE)
    })
    .await?;
    load.seen.begin_again();
    let begin = Instant::now();
    let answered = switch(api, "off").await?;
    until(load, "every request is let through", |seen| {
        seen.first_passed().is_some() && seen.last_stopped().is_none_or(|at| at.elapsed() > SETTLE)
    })
    .await?;
    let since =
        |at: Option<Instant>| at.map_or(0.0, |at| at.saturating_duration_since(begin).as_secs_f64() * 1e3);
    turns.first_passed_ms.push(since(load.seen.first_passed()));
    turns.last_stopped_ms.push(since(load.seen.last_stopped()));
    turns.answered_ms.push(answered.as_secs_f64() * 1e3);
    switch(api, "normal").await.map(drop)
}

/// How long the call took.
async fn switch(api: Api, mode: &'static str) -> Outcome<Duration> {
    let call = json!({ "mode": mode, "reason": "benchmark" });
    aside(move || api.post("/api/v1/panic", &call)).await.map(|answer| answer.took)
}

/// Waits until `holds`, which is `what`.
async fn until(load: &Background, what: &str, holds: impl Fn(&Seen) -> bool) -> Outcome<()> {
    let deadline = Instant::now() + PATIENCE;
    while !holds(&load.seen) {
        if !load.goes_on() {
            return Err(format!("the load has stopped before {what}"));
        }
        if Instant::now() > deadline {
            return Err(format!("it is not so that {what} after {PATIENCE:?}"));
        }
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}
