//! How long calls of the API take while every core is busy with requests.

use std::time::Instant;

use serde::Serialize;
use serde_json::json;

use crate::Outcome;
use crate::aside;
use crate::client::REQUEST;
use crate::measure;
use crate::steering::background::Background;
use crate::steering::node::Node;

/// Every call, one after another, and the load beside them.
#[derive(Debug, Serialize)]
pub struct Latencies {
    /// Each kind of call: its name, and how long each took, milliseconds.
    pub calls: Vec<(&'static str, Vec<f64>)>,
    /// Requests per second that the node answered meanwhile.
    pub rate: f64,
    /// Cores that it used.
    pub busy: f64,
}

/// Calls each of the calls `count` times.
pub async fn measure(node: &Node, count: u32) -> Outcome<Latencies> {
    let (api, port, group) = (node.api, node.proxy.port, node.proxy.group());
    let measured = aside(move || {
        let load = Background::start(port, REQUEST);
        let (begin, cpu) = (Instant::now(), measure::cpu(group)?);
        let mut calls = Vec::new();
        for name in ["GET /api/v1/status", "GET /api/v1/blocked-ips", "POST /api/v1/block-ip", "GET /metrics"]
        {
            eprintln!("{name} under load, {count} times");
            let mut took_ms = Vec::new();
            for number in 0..count {
                let answer = match name.split_once(' ') {
                    Some(("GET", path)) => api.get(path),
                    Some((_, path)) => {
                        let ip = format!("198.19.{}.{}", number >> 8 & 255, number & 255);
                        api.post(path, &json!({ "ip": ip, "duration": 3600, "reason": "benchmark" }))
                    }
                    None => continue,
                };
                took_ms.push(answer?.took.as_secs_f64() * 1e3);
            }
            calls.push((name, took_ms));
        }
        let seconds = begin.elapsed().as_secs_f64();
        let busy = measure::cpu(group)?.since(cpu).total_us() / 1e6 / seconds;
        let rate = load.seen.requests() as f64 / seconds;
        load.stop()?;
        Ok(Latencies { calls, rate, busy })
    });
    measured.await.map_err(|failure| node.proxy.explain(failure))
}
