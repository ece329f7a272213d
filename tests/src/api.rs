//! The calls of an operator.

use crate::client::Client;
use crate::message::Answer;
use crate::node::Node;
use crate::wait::until;
use serde_json::Value;

impl Node {
    /// Makes a call, as `curl -d` would: whatever the body is, it is called a form.
    #[track_caller]
    pub fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        self.call_with(method, path, &format!("Host: {}\r\n", self.setup.api), body)
    }

    /// Makes a call with these fields, `Host` among them.
    #[track_caller]
    pub fn call_with(&self, method: &str, path: &str, fields: &str, body: &str) -> Answer {
        let length = body.len();
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        Client::connect(self.setup.api).ask(format!(
            "{method} {path} HTTP/1.1\r\n{fields}{form}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ))
    }

    /// `POST path`.
    #[track_caller]
    pub fn post(&self, path: &str, body: &str) -> Answer {
        self.call("POST", path, body)
    }

    /// `POST path`, which must go well: what is answered.
    #[track_caller]
    pub fn done(&self, path: &str, body: &str) -> Value {
        let answer = self.post(path, body);
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
        answer.json()
    }

    /// `GET path`, which must go well: what is answered.
    #[track_caller]
    pub fn told(&self, path: &str) -> Value {
        let answer = self.call("GET", path, "");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Reloads, which must succeed, and returns what the node says of it.
    #[track_caller]
    pub fn reload(&self) -> Value {
        let answer = self.post("/api/v1/reload", "");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Blocks an address, whoever it is of.
    #[track_caller]
    pub fn block(&self, ip: &str) -> Value {
        let answer = self.post("/api/v1/block-ip", &format!(r#"{{"ip":"{ip}","force":true}}"#));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The newest events of a type, or of all where it is empty.
    #[track_caller]
    pub fn events(&self, kind: &str) -> Vec<Value> {
        let filter = if kind.is_empty() { String::new() } else { format!("&type={kind}") };
        let answer = self.call("GET", &format!("/api/v1/events?limit=1000{filter}"), "");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["events"].as_array().unwrap().clone()
    }

    /// Waits for the event about the request that `answer` answers.
    #[track_caller]
    pub fn event_of(&self, answer: &Answer) -> Value {
        let id = answer.field("x-request-id").expect("an id in the answer").to_owned();
        until(&format!("an event of request {id}"), || {
            self.events("").into_iter().find(|event| event["request_id"] == id.as_str())
        })
    }

    /// Waits for the trace of the request that `answer` answers, and returns what explains it.
    #[track_caller]
    pub fn explained(&self, answer: &Answer) -> Value {
        let id = answer.field("x-request-id").expect("an id in the answer");
        until(&format!("the trace of request {id}"), || {
            let told = self.call("GET", &format!("/api/v1/explain?request_id={id}"), "");
            (told.status == 200).then(|| told.json()).filter(|told| told["trace"] != serde_json::json!([]))
        })
    }

    /// Waits for the record of the request that `answer` answers.
    #[track_caller]
    pub fn record_of(&self, answer: &Answer) -> Value {
        let id = answer.field("x-request-id").expect("an id in the answer");
        until(&format!("the record of request {id}"), || {
            let told = self.told(&format!("/api/v1/records?request_id={id}"));
            told["records"].get(0).cloned()
        })
    }

    /// Waits for an event of this name.
    #[track_caller]
    pub fn event_named(&self, name: &str) -> Value {
        until(&format!("an event {name}"), || {
            self.events("").into_iter().find(|event| event["event"] == name)
        })
    }

    /// The metrics page.
    #[track_caller]
    pub fn metrics(&self) -> String {
        self.call("GET", "/metrics", "").text()
    }

    /// The sum of all series whose name and labels begin with `series`.
    #[track_caller]
    pub fn metric(&self, series: &str) -> f64 {
        let page = self.metrics();
        let values = page.lines().filter(|line| {
            line.strip_prefix(series).is_some_and(|rest| rest.starts_with([' ', '{', ',', '}', '"']))
        });
        values.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }
}
