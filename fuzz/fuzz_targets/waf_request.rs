//! The first byte picks a parser; whatever follows, nothing panics, every list stays bounded, and every edit lies within what
//! it edits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secbeat_types::Timestamp;
use secbeat_waf::{BodyKind, Context, ExceptionSet, Place, Request, RuleSet, Settings, Transaction};
use secbeat_waf::{findings::MATCHES_MAX, parse_exceptions, parse_rules};
use std::net::Ipv4Addr;
use std::sync::OnceLock;

/// The shipped rules; where they block, every other one sanitizes.
fn rules() -> &'static RuleSet {
    static RULES: OnceLock<RuleSet> = OnceLock::new();
    RULES.get_or_init(|| {
        let text = include_str!("../../mitigation-node/config/waf_rules.json");
        let text: Vec<String> = text
            .split_inclusive("\"action\": \"block\"")
            .enumerate()
            .map(
                |(n, piece)| {
                    if n % 2 == 0 { piece.replace("\"block\"", "\"sanitize\"") } else { piece.to_owned() }
                },
            )
            .collect();
        let rules = parse_rules(&text.concat()).unwrap_or_else(|error| panic!("{error}"));
        RuleSet::compile(&rules, &Settings::default()).unwrap_or_else(|error| panic!("{error}"))
    })
}

/// Some for every rule, some for one, by path, by variable and by client.
fn exceptions() -> &'static ExceptionSet {
    static EXCEPTIONS: OnceLock<ExceptionSet> = OnceLock::new();
    EXCEPTIONS.get_or_init(|| {
        let text = r#"{"exceptions":[
            {"id":"path","paths":["/shop"]},
            {"id":"place","parameters":["query:c*","body:/a/*","header:user-agent","cookie:s"]},
            {"id":"own","rules":["secbeat-query-args","secbeat-body-malformed"],"clients":["127.0.0.0/8"]},
            {"id":"category","categories":["xss"],"parameters":["body:q"]}]}"#;
        let exceptions = parse_exceptions(text).unwrap_or_else(|error| panic!("{error}"));
        ExceptionSet::compile(exceptions).unwrap_or_else(|error| panic!("{error}"))
    })
}

fn body(
    transaction: &mut Transaction<'_>,
    kind: BodyKind,
    content_type: Option<&[u8]>,
    data: &[u8],
    complete: bool,
) {
    let _ = transaction.request_body(kind, content_type, data, complete);
    for edit in transaction.edits() {
        assert!(edit.place == Place::Body && data.get(edit.range.clone()).is_some());
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let half = data.split_at(data.len() / 2);
    let plain = Context::plain(Ipv4Addr::LOCALHOST.into(), Timestamp::from_unix_ms(0));
    let context = Context { exceptions: exceptions(), ..plain };
    let mut transaction = rules().transaction(context);
    let complete = choice & 0x80 == 0;
    match choice & 0x07 {
        0 => {
            let fields = [(&b"cookie"[..], half.1), (half.0, half.1), (b"user-agent", half.0)];
            let _ = transaction.request_head(&Request {
                method: b"GET",
                target: half.0,
                fields: &fields,
                ..Request::default()
            });
            for edit in transaction.edits() {
                let of = match edit.place {
                    Place::Target => half.0,
                    Place::Field(index) => fields[index].1,
                    Place::Body => panic!("a head has no body"),
                };
                assert!(of.get(edit.range.clone()).is_some());
            }
        }
        1 => body(&mut transaction, BodyKind::Json, None, data, complete),
        2 => body(&mut transaction, BodyKind::Urlencoded, None, data, complete),
        3 => {
            let content_type = Some(&b"multipart/form-data; boundary=b"[..]);
            body(&mut transaction, BodyKind::Multipart, content_type, data, complete);
        }
        4 => body(&mut transaction, BodyKind::Multipart, Some(half.0), half.1, complete),
        5 => body(&mut transaction, BodyKind::Xml, None, data, complete),
        6 => {
            let parsed = std::str::from_utf8(data).ok().and_then(|text| parse_exceptions(text).ok());
            let _ = parsed.map(ExceptionSet::compile);
        }
        _ => {
            let parsed = std::str::from_utf8(data).ok().and_then(|text| parse_rules(text).ok());
            let _ = parsed.map(|rules| RuleSet::compile(&rules, &Settings::default()));
        }
    }
    assert!(transaction.into_matches().len() <= MATCHES_MAX);
});
