//! What ModSecurity 3 says of many requests, to compare rule sets and corpora with.
//!
//! ```text
//! cargo run -p secbeat-tests --example oracle -- --rules FILE... --requests FILE
//! ```
//!
//! Rules are files of SecLang, read in this order; `SecRuleEngine` and the limits are theirs to set. A request is one line of
//! JSON: `{"method":"GET","uri":"/?a=b","headers":[["Host","a"]],"body":"base64"}`; `headers` may also be an object, and all
//! but `uri` may be left out. Each is answered by one line: `{"ids":[…],"status":403,"scores":{…}}`; the status is `null` if
//! nothing stopped it. Only rules that log are told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::oracle::{Oracle, Request, between};
use secbeat_transform::Transformation;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

/// Tells the scores when all else has run; those that a rule set does not know are empty.
const SCORES: &str = "SecAction \"id:4294967295,phase:5,t:none,pass,log,msg:'scores \
    anomaly=%{tx.anomaly_score} inbound=%{tx.blocking_inbound_anomaly_score} detection=%{tx.detection_inbound_anomaly_score} \
    outbound=%{tx.outbound_anomaly_score} sqli=%{tx.sql_injection_score} xss=%{tx.xss_score} rce=%{tx.rce_score} \
    lfi=%{tx.lfi_score} rfi=%{tx.rfi_score} php=%{tx.php_injection_score} http=%{tx.http_violation_score} \
    fixation=%{tx.session_fixation_score} .'\"";

/// The rule that tells them.
const SCORES_ID: u32 = u32::MAX;

fn main() {
    let mut rules = Vec::new();
    let mut requests = None;
    let mut option = String::new();
    for argument in std::env::args().skip(1) {
        match (argument.as_str(), option.as_str()) {
            ("--rules" | "--requests", _) => option = argument,
            (_, "--rules") => rules.push(argument),
            (_, "--requests") => requests = Some(argument),
            _ => panic!("{argument}: expected --rules FILE... --requests FILE"),
        }
    }
    let requests = requests.expect("--requests FILE is missing");
    let mut oracle = Oracle::start().expect("no ModSecurity to ask");
    oracle.rules("SecRuleEngine On").unwrap();
    for path in &rules {
        oracle.file(Path::new(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    oracle.add(SCORES).unwrap();
    let lines =
        BufReader::new(std::fs::File::open(&requests).unwrap_or_else(|error| panic!("{requests}: {error}")));
    let mut out = BufWriter::new(std::io::stdout().lock());
    for (number, line) in lines.lines().enumerate() {
        let line = line.unwrap();
        let request =
            serde_json::from_str(&line).map_err(|error| error.to_string()).and_then(|json| read(&json));
        let request = request.unwrap_or_else(|error| panic!("{requests}:{}: {error}", number + 1));
        let answer = oracle.request(&request);
        let ids: Vec<u32> = answer.ids().into_iter().filter(|&id| id != SCORES_ID).collect();
        let told =
            answer.log.iter().find_map(|line| between(line, "[msg \"scores ", " .\"]")).unwrap_or_default();
        let scores: serde_json::Map<String, Value> = told
            .split(' ')
            .filter_map(|pair| pair.split_once('='))
            .filter_map(|(name, score)| Some((name.to_owned(), json!(score.parse::<i64>().ok()?))))
            .collect();
        writeln!(out, "{}", json!({"ids": ids, "status": answer.status, "scores": scores})).unwrap();
    }
}

fn read(json: &Value) -> Result<Request, String> {
    let text = |name: &str, default: &str| json[name].as_str().unwrap_or(default).to_owned();
    let pair = |name: &str, value: &Value| Some((name.to_owned(), value.as_str()?.as_bytes().to_vec()));
    let fields: Option<Vec<_>> = match &json["headers"] {
        Value::Object(fields) => fields.iter().map(|(name, value)| pair(name, value)).collect(),
        Value::Array(fields) => fields.iter().map(|field| pair(field[0].as_str()?, &field[1])).collect(),
        Value::Null => Some(Vec::new()),
        _ => None,
    };
    Ok(Request {
        method: text("method", "GET"),
        uri: json["uri"].as_str().ok_or("no uri")?.to_owned(),
        fields: fields.ok_or("headers: expected names and values, all text")?,
        body: base64(&text("body", "")),
    })
}

fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    Transformation::Base64Decode.apply(text.as_bytes(), &mut bytes);
    bytes
}
