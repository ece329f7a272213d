//! The first byte picks a parser; whatever follows, nothing panics and every list stays bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secbeat_types::Timestamp;
use secbeat_waf::{BodyKind, Context, Request, RuleSet, Settings, findings::MATCHES_MAX, parse_rules};
use std::net::Ipv4Addr;
use std::sync::OnceLock;

fn rules() -> &'static RuleSet {
    static RULES: OnceLock<RuleSet> = OnceLock::new();
    RULES.get_or_init(|| {
        let text = include_str!("../../mitigation-node/config/waf_rules.json");
        let rules = parse_rules(text).unwrap_or_else(|error| panic!("{error}"));
        RuleSet::compile(&rules, &Settings::default()).unwrap_or_else(|error| panic!("{error}"))
    })
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let half = data.split_at(data.len() / 2);
    let mut transaction =
        rules().transaction(Context::plain(Ipv4Addr::LOCALHOST.into(), Timestamp::from_unix_ms(0)));
    let complete = choice & 0x80 == 0;
    match choice & 0x07 {
        0 => {
            let fields = [(&b"cookie"[..], half.1), (half.0, half.1), (b"user-agent", half.0)];
            let _ = transaction.request_head(&Request { method: b"GET", target: half.0, fields: &fields });
        }
        1 => drop(transaction.request_body(BodyKind::Json, None, data, complete)),
        2 => drop(transaction.request_body(BodyKind::Urlencoded, None, data, complete)),
        3 => {
            let content_type = Some(&b"multipart/form-data; boundary=b"[..]);
            drop(transaction.request_body(BodyKind::Multipart, content_type, data, complete));
        }
        4 => drop(transaction.request_body(BodyKind::Multipart, Some(half.0), half.1, complete)),
        _ => {
            let parsed = std::str::from_utf8(data).ok().and_then(|text| parse_rules(text).ok());
            let _ = parsed.map(|rules| RuleSet::compile(&rules, &Settings::default()));
        }
    }
    assert!(transaction.into_matches().len() <= MATCHES_MAX);
});
