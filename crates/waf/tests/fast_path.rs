//! The filter before the rules never turns away what matches: the fast way and the plain one find the same matches, in the
//! same order, and ask for the same edits. Random values over the shipped rules, and the payloads of the corpora: one in
//! `SECBEAT_PAYLOADS_STEP` of them, by default 97.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{PAGES, percent};
use proptest::{collection::vec, prelude::*, sample::select};
use secbeat_types::{Timestamp, Verdict};
use secbeat_waf::{BodyKind, Context, Edit, Request, RuleSet, Settings, parse_rules};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A set, and its plain evaluator.
struct Both {
    fast: RuleSet,
    plain: RuleSet,
}

impl Both {
    fn of(rules: &str) -> Both {
        let rules = parse_rules(rules).unwrap();
        let compile = || RuleSet::compile(&rules, &Settings::default()).unwrap();
        Both { fast: compile(), plain: compile().plain() }
    }

    fn agree_on(&self, request: &Request<'_>, body: &[u8]) -> Result<(), TestCaseError> {
        let plain = judged(&self.plain, request, body);
        prop_assert_eq!(&judged(&self.fast, request, body), &plain);
        // Once more: what is remembered by now changes nothing.
        prop_assert_eq!(&judged(&self.fast, request, body), &plain);
        Ok(())
    }

    /// The value in every place of a request, as it is and encoded.
    fn agree_on_value(&self, value: &[u8]) -> Result<(), TestCaseError> {
        let encoded = percent(&String::from_utf8_lossy(value));
        let twice = percent(&encoded);
        let target =
            [b"/a/", value, b"?q=", value, b"&q=", encoded.as_bytes(), b"&q=", twice.as_bytes()].concat();
        let cookie = [b"a=", value, b"; b=", encoded.as_bytes()].concat();
        let fields: [(&[u8], &[u8]); 5] = [
            (b"User-Agent", value),
            (b"Referer", encoded.as_bytes()),
            (b"X-Thing", value),
            (b"Accept", value),
            (b"Cookie", &cookie),
        ];
        let request = Request { method: b"GET", target: &target, fields: &fields, ..Request::default() };
        let body = [b"q=", value, b"&r=", encoded.as_bytes()].concat();
        self.agree_on(&request, &body)
    }
}

/// Both verdicts with all their matches in order, and the edits of both phases.
fn judged(set: &RuleSet, request: &Request<'_>, body: &[u8]) -> (Verdict, Vec<Edit>, Verdict, Vec<Edit>) {
    let context = Context::plain(Ipv4Addr::LOCALHOST.into(), Timestamp::from_unix_ms(0));
    let mut transaction = set.transaction(context);
    let head = transaction.request_head(request);
    let head_edits = transaction.edits().to_vec();
    let body = transaction.request_body(BodyKind::Urlencoded, None, body, true);
    (head, head_edits, body, transaction.edits().to_vec())
}

fn shipped() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../mitigation-node/config/waf_rules.json");
    std::fs::read_to_string(path).unwrap()
}

static SHIPPED: LazyLock<Both> = LazyLock::new(|| Both::of(&shipped()));

/// The shipped rules, each taking out what it matches.
static SANITIZING: LazyLock<Both> =
    LazyLock::new(|| Both::of(&shipped().replace(r#""action": "block""#, r#""action": "sanitize""#)));

/// Texts of attacks and of prose, and what hides them.
const PIECES: [&str; 48] = [
    "union",
    "select",
    " ",
    "1",
    "=",
    "'",
    "or",
    "--",
    "#",
    "/*",
    "*/",
    "/*!50000",
    "sleep(",
    "from users",
    "<",
    ">",
    "script",
    "onerror=",
    "alert(1)",
    "javascript:",
    "\\x3c",
    "\\u0073",
    "%3C",
    "%27",
    "%2527",
    "+",
    "&lt;",
    "&#x27;",
    "%26lt;",
    "../",
    "..\\",
    "/etc/passwd",
    "%2e%2e%2f",
    "%00",
    "\0",
    ";",
    "|",
    "cat ",
    "c'a't",
    "$IFS",
    "${jndi:ldap",
    "{{7*7}}",
    "http://169.254.169.254/",
    "sqlmap",
    "\r\n",
    "Set-Cookie:",
    "A",
    "é",
];

/// Patterns that the filter tells by literals, by bytes, by an automaton, or not at all.
const PATTERNS: [&str; 16] = [
    "(?i)union.*select",
    "<",
    "^$",
    "a|b|union",
    "(?i)\\bor\\b",
    "[0-9]{2,}",
    "\\x00",
    "(?:)",
    "(?u)é",
    "(?iu)S",
    "'[^']*'",
    "^/etc",
    "passwd$",
    "(?-i:cat|script)",
    "\\s",
    "(?m)^Set-",
];

fn value() -> impl Strategy<Value = Vec<u8>> {
    let bytes = vec(any::<u8>(), 1..4);
    let piece = prop_oneof![
        8 => select(PIECES.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => bytes,
    ];
    vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

const TRANSFORMS: [&str; 8] = [
    "url_decode",
    "html_entity_decode",
    "remove_nulls",
    "js_decode",
    "replace_comments",
    "command_line",
    "normalize_path",
    "lowercase",
];

const TARGETS: [&str; 6] = ["path", "query", "cookies", "headers", "header:*", "header:referer"];

fn rules() -> impl Strategy<Value = String> {
    let rule = (
        select(PATTERNS.to_vec()),
        vec(select(TRANSFORMS.to_vec()), 0..4),
        select(vec!["block", "log", "sanitize", "allow"]),
        vec(select(TARGETS.to_vec()), 1..3),
    );
    vec(rule, 1..12).prop_map(|wanted| {
        let numbered = wanted.into_iter().enumerate();
        let rules = numbered.map(|(number, (pattern, transforms, action, targets))| {
            serde_json::json!({
                "id": number.to_string(), "pattern": pattern, "action": action,
                "transforms": transforms, "targets": targets, "severity": "high",
            })
        });
        serde_json::json!({ "rules": rules.collect::<Vec<_>>() }).to_string()
    })
}

proptest! {
    #[test]
    fn the_shipped_rules_find_the_same_either_way(value in value()) {
        SHIPPED.agree_on_value(&value)?;
    }

    #[test]
    fn what_is_taken_out_is_the_same_either_way(value in value()) {
        SANITIZING.agree_on_value(&value)?;
    }

    #[test]
    fn any_rules_find_the_same_either_way(rules in rules(), values in vec(value(), 1..4)) {
        let both = Both::of(&rules);
        for value in values {
            both.agree_on_value(&value)?;
        }
    }
}

#[test]
fn pages_are_judged_the_same_either_way() {
    for target in PAGES {
        for browser in common::BROWSERS {
            let fields: Vec<_> =
                browser.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
            let request =
                Request { method: b"GET", target: target.as_bytes(), fields: &fields, ..Request::default() };
            SHIPPED.agree_on(&request, b"").unwrap();
        }
    }
}

/// The files of the payload corpora, as lines.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn payloads_are_judged_the_same_either_way() {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let folder = std::env::var_os("SECBEAT_CORPORA").map_or(default, PathBuf::from).join("payloads");
    if !folder.is_dir() {
        return println!("skipped: no corpora");
    }
    let step = std::env::var("SECBEAT_PAYLOADS_STEP").ok().and_then(|step| step.parse().ok()).unwrap_or(97);
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    paths.sort();
    let mut number = 0;
    for path in paths {
        let text = std::fs::read(path).unwrap();
        // A line of a large JSON file may be all of it.
        let values = text.split(|byte| *byte == b'\n').flat_map(|line| line.chunks(2000)).step_by(step);
        for value in values.filter(|value| !value.is_empty()) {
            SHIPPED.agree_on_value(value).unwrap();
            SANITIZING.agree_on_value(value).unwrap();
            number += 1;
        }
    }
    println!("{number} payloads");
    assert!(number > 0, "{}: no payloads", folder.display());
}
