//! Requests through the Core Rule Set as Debian ships it, in blocking mode at paranoia level 1.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use secbeat_types::{Action, Category, Reason, RuleMatch, Timestamp, Verdict};
use secbeat_waf::crs::{CrsSettings, ResponseSettings, compile};
use secbeat_waf::os_sources::OsSources;
use secbeat_waf::{
    BodyFollows, BodyKind, Context, ExceptionSet, Request, ResponseHead, RuleSet, ScopeError, Settings,
    parse_exceptions,
};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, LazyLock};

const BROWSER: &[(&[u8], &[u8])] = &[
    (b"Host", b"shop.example.com"),
    (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"),
    (b"Accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"Accept-Language", b"en-US,en;q=0.5"),
];

/// No JSON rules, and the Core Rule Set; `None`: it is not installed.
fn rules() -> Option<&'static RuleSet> {
    static RULES: LazyLock<Option<RuleSet>> = LazyLock::new(|| {
        Path::new("/usr/share/modsecurity-crs/rules").is_dir().then(|| {
            let crs = CrsSettings { paranoia_level: Some(1), ..CrsSettings::default() };
            let response = ResponseSettings { limit: 1 << 17, types: vec!["text/html".into()] };
            let compiled = compile(Some(&crs), &response, &[], &OsSources).unwrap();
            let rules = RuleSet::compile(&[], &Settings::default()).unwrap();
            rules.with_seclang(Arc::new(compiled.program))
        })
    });
    if RULES.is_none() {
        eprintln!("skipped: modsecurity-crs is not installed");
    }
    RULES.as_ref()
}

fn context() -> Context<'static> {
    Context::plain(Ipv4Addr::new(192, 0, 2, 1).into(), Timestamp::from_unix_ms(1_700_000_000_000))
}

fn get(target: &str) -> Request<'_> {
    Request {
        method: b"GET",
        target: target.as_bytes(),
        fields: BROWSER,
        protocol: b"HTTP/1.1",
        id: "0123456789abcdef",
        body: BodyFollows::No,
    }
}

/// The verdict on a POST.
fn post(rules: &RuleSet, content_type: &str, body: &[u8]) -> Verdict {
    let length = body.len().to_string();
    let mut fields = BROWSER.to_vec();
    fields.push((b"Content-Type", content_type.as_bytes()));
    fields.push((b"Content-Length", length.as_bytes()));
    let mut transaction = rules.transaction(context());
    let head = Request { method: b"POST", fields: &fields, body: BodyFollows::Inspected, ..get("/comments") };
    let verdict = transaction.request_head(&head);
    assert!(!verdict.stops(), "{verdict:?}");
    let kind = transaction.inspects_body(Some(content_type.as_bytes())).unwrap();
    transaction.request_body(kind, Some(content_type.as_bytes()), body, true)
}

fn matches(verdict: &Verdict) -> &[RuleMatch] {
    match &verdict.reason {
        Reason::Rules(matches) => matches,
        _ => &[],
    }
}

#[test]
fn a_browsers_requests_pass() {
    let Some(rules) = rules() else { return };
    for target in ["/", "/search?q=union+station+hotel&page=2", "/a/b.html?x=1&y=a%20b"] {
        let verdict = rules.judge_head(&get(target), context());
        assert_eq!(verdict.action, Action::Pass, "{target}: {verdict:?}");
    }
    let boundary = "multipart/form-data; boundary=----WebKitFormBoundaryePkpFF7tjBAqx29L";
    let part = "------WebKitFormBoundaryePkpFF7tjBAqx29L\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nA page\r\n\
                ------WebKitFormBoundaryePkpFF7tjBAqx29L--\r\n";
    for (content_type, body) in [
        ("application/x-www-form-urlencoded", "name=Jane&comment=Nice+page"),
        ("application/json", r#"{"name":"Jane","items":[1,2,{"text":"Nice page"}]}"#),
        ("application/xml", "<order n=\"1\"><name>Jane</name></order>"),
        (boundary, part),
    ] {
        let verdict = post(rules, content_type, body.as_bytes());
        assert_eq!(verdict.action, Action::Pass, "{content_type}: {verdict:?}");
    }
}

#[test]
fn an_attack_is_stopped_and_told_by_what_scored_first() {
    let Some(rules) = rules() else { return };
    let mut transaction = rules.transaction(context());
    let verdict = transaction.request_head(&get("/?id=1'+union+select+password+from+users--+"));
    assert_eq!(verdict.action, Action::Block);
    let matches = matches(&verdict);
    let first = matches.first().unwrap();
    assert_eq!((first.category, &*first.variable), (Category::SqlInjection, "ARGS:id"), "{first:?}");
    assert_eq!(&*first.rule_id, "942100");
    assert!(matches.iter().any(|found| &*found.rule_id == "949110"), "{matches:?}");
    let scores = transaction.scores().unwrap();
    assert!(scores.inbound >= scores.inbound_threshold, "{scores:?}");
    assert_eq!(scores.inbound_threshold, 5);
}

#[test]
fn attacks_are_found_in_bodies_of_every_kind() {
    let Some(rules) = rules() else { return };
    let evil = "1' union select password from users-- ";
    let part = format!("--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n{evil}\r\n--b--\r\n");
    for (content_type, body, variable) in [
        ("application/x-www-form-urlencoded", format!("a=b&text={}", evil.replace(' ', "+")), "ARGS:text"),
        ("application/json", format!(r#"{{"a":[{{"text":"{evil}"}}]}}"#), "ARGS:json.a.array_0.text"),
        ("text/xml", format!("<a><b>{evil}</b></a>"), "XML:/*"),
        ("multipart/form-data; boundary=b", part, "ARGS:text"),
    ] {
        let verdict = post(rules, content_type, body.as_bytes());
        assert_eq!(verdict.action, Action::Block, "{content_type}: {verdict:?}");
        let found = matches(&verdict).iter().find(|found| &*found.rule_id == "942100");
        assert_eq!(found.map(|found| found.variable.as_str()), Some(variable), "{verdict:?}");
    }
}

#[test]
fn an_exception_keeps_a_match_from_scoring_and_counts() {
    let Some(rules) = rules() else { return };
    let judge = |exceptions: &str| {
        let exceptions = parse_exceptions(&format!(r#"{{"exceptions":[{exceptions}]}}"#)).unwrap();
        let exceptions = ExceptionSet::compile(exceptions).unwrap();
        let context = Context { exceptions: &exceptions, ..context() };
        let action = rules.judge_head(&get("/?id=1'+union+select+password+from+users--+"), context).action;
        (action, exceptions.hits().map(|(_, hits)| hits.count).sum::<u64>())
    };
    assert_eq!(judge(r#"{"categories":["sql_injection"],"parameters":["ARGS:other"]}"#), (Action::Block, 0));
    for parameter in ["ARGS:id", "query:id"] {
        let rules = r#""942100","942190","942270","942360""#;
        let (action, hits) = judge(&format!(r#"{{"rules":[{rules}],"parameters":["{parameter}"]}}"#));
        assert_eq!(action, Action::Pass, "{parameter}");
        assert!(hits > 0, "{parameter}");
    }
}

#[test]
fn a_site_switches_rules_off_and_only_watches() {
    let Some(rules) = rules() else { return };
    let target = get("/?id=1'+union+select+password+from+users--+");
    let off: Vec<String> = ["942100", "942190", "942270", "942360"].map(String::from).to_vec();
    let scope = rules.scope(false, &off).unwrap();
    assert_eq!(rules.judge_head(&target, Context { scope: &scope, ..context() }).action, Action::Pass);
    let watching = rules.scope(true, &[]).unwrap();
    assert_eq!(rules.judge_head(&target, Context { scope: &watching, ..context() }).action, Action::Log);
    assert_eq!(rules.scope(false, &["1".into()]), Err(ScopeError::Unknown("1".into())));
    // Passes over what is above the paranoia level.
    assert_eq!(rules.scope(false, &["942014".into()]), Err(ScopeError::Steers("942014".into())));
}

#[test]
fn what_cannot_be_read_is_refused_and_any_type_is_looked_at() {
    let Some(rules) = rules() else { return };
    let verdict = post(
        rules,
        "multipart/form-data; boundary=b",
        b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx",
    );
    assert_eq!(verdict.action, Action::Block, "{verdict:?}");
    let mut transaction = rules.transaction(context());
    let head = Request { method: b"POST", body: BodyFollows::Inspected, ..get("/upload") };
    let _ = transaction.request_head(&head);
    assert_eq!(transaction.inspects_body(Some(b"application/octet-stream")), Some(BodyKind::Other));
}

#[test]
fn an_answer_that_gives_away_an_error_of_a_database_is_stopped() {
    let Some(rules) = rules() else { return };
    let mut transaction = rules.transaction(context());
    assert_eq!(transaction.request_head(&get("/")).action, Action::Pass);
    let head =
        ResponseHead { status: 200, protocol: b"HTTP/1.1", fields: &[(b"Content-Type", b"text/html")] };
    assert_eq!(transaction.response_head(&head).action, Action::Pass);
    assert_eq!(transaction.wants_response_body(Some(b"text/html; charset=utf-8")), Some(1 << 17));
    assert_eq!(transaction.wants_response_body(Some(b"text/event-stream")), None);
    let body = b"<p>You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version";
    let verdict = transaction.response_body(body, true);
    assert_eq!(verdict.action, Action::Block, "{verdict:?}");
    assert_eq!(matches(&verdict)[0].category, Category::DataLeak);
    transaction.finish();
}
