//! A whole transaction under rules in SecLang: head, body by its type, answer. Debian's Core Rule Set at paranoia level 4 where it
//! is installed, and a rule for every flag of bodies. Nothing panics, matches stay bounded, and work ends within its budget.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secbeat_types::Timestamp;
use secbeat_waf::crs::{CrsSettings, ResponseSettings, compile};
use secbeat_waf::{BodyFollows, Context, OsSources, Request, ResponseHead, RuleSet, Settings};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

fn rules() -> &'static RuleSet {
    static RULES: OnceLock<RuleSet> = OnceLock::new();
    RULES.get_or_init(|| {
        let crs = CrsSettings {
            paranoia_level: Some(4),
            inbound_threshold: Some(100_000),
            ..CrsSettings::default()
        };
        let crs = Path::new("/usr/share/modsecurity-crs/rules").exists().then_some(crs);
        let response = ResponseSettings { limit: 1 << 20, types: vec!["text/html".into()] };
        let compiled = compile(crs.as_ref(), &response, &[], &OsSources)
            .unwrap_or_else(|errors| panic!("{}", errors[0]));
        let set = RuleSet::compile(&[], &Settings { work_budget: 10_000_000, ..Settings::default() });
        set.unwrap_or_else(|error| panic!("{error}")).with_seclang(Arc::new(compiled.program))
    })
}

const TYPES: [&[u8]; 7] = [
    b"application/x-www-form-urlencoded",
    b"application/json",
    b"text/xml",
    b"multipart/form-data; boundary=b",
    b"multipart/form-data; boundary=\"b b\"",
    b"application/octet-stream",
    b"",
];

fuzz_target!(|data: &[u8]| {
    let [choice, cut, data @ ..] = data else { return };
    let (head, body) = data.split_at(data.len().min(*cut as usize));
    let content_type = *TYPES.get(*choice as usize % 8).unwrap_or(&head);
    let context = Context::plain(Ipv4Addr::LOCALHOST.into(), Timestamp::from_unix_ms(0));
    let mut transaction = rules().transaction(context);
    let fields = [
        (&b"Host"[..], &b"a"[..]),
        (b"Content-Type", content_type),
        (b"Cookie", head),
        (b"User-Agent", head),
        (head, b"x"),
    ];
    let target = [b"/", head].concat();
    let _ = transaction.request_head(&Request {
        method: b"POST",
        target: &target,
        fields: &fields,
        protocol: b"HTTP/1.1",
        id: "1",
        body: BodyFollows::Inspected,
    });
    if let Some(kind) = transaction.inspects_body(Some(content_type)) {
        let _ = transaction.request_body(kind, Some(content_type), body, choice & 0x80 == 0);
    }
    let _ = transaction.response_head(&ResponseHead {
        status: 200,
        protocol: b"HTTP/1.1",
        fields: &[(b"Content-Type", b"text/html"), (b"X", head)],
    });
    let _ = transaction.response_body(body, true);
    transaction.finish();
    assert!(transaction.audited().len() <= 100_000);
});
