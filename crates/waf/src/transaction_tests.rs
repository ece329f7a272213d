use super::*;
use crate::{RuleRate, Scope, Settings, parse_rules};
use proptest::{collection::vec, prelude::*};
use secbeat_types::{Reason, Timestamp};
use std::net::Ipv4Addr;
use std::time::Duration;

const NOW: i64 = 1_736_937_045_000;

fn rules(rules: &str, settings: Settings) -> RuleSet {
    RuleSet::compile(&parse_rules(&format!("{{\"rules\":[{rules}]}}")).unwrap(), &settings).unwrap()
}

fn context() -> Context<'static> {
    Context::plain(Ipv4Addr::LOCALHOST.into(), Timestamp::from_unix_ms(NOW))
}

/// `rule:variable` of what matched, the settling one first.
fn head(set: &RuleSet, target: &str, fields: &[(&str, &str)]) -> (Action, Vec<String>) {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let request =
        Request { method: b"GET", target: target.as_bytes(), fields: &fields, ..Request::default() };
    named(set.transaction(context()).request_head(&request))
}

fn body(set: &RuleSet, content_type: &str, body: &str, complete: bool) -> (Action, Vec<String>) {
    let mut transaction = set.transaction(context());
    let kind = transaction.inspects_body(Some(content_type.as_bytes())).unwrap();
    named(transaction.request_body(kind, Some(content_type.as_bytes()), body.as_bytes(), complete))
}

fn named(verdict: Verdict) -> (Action, Vec<String>) {
    let matches = match verdict.reason {
        Reason::Rules(matches) => matches,
        _ => Vec::new(),
    };
    (
        verdict.action,
        matches.into_iter().map(|found| format!("{} {}", found.rule_id, found.variable)).collect(),
    )
}

fn hit(names: &[&str]) -> (Action, Vec<String>) {
    (Action::Block, names.iter().map(|name| (*name).to_owned()).collect())
}

const EVIL: &str = r#"{"id":"evil","pattern":"<evil>","action":"block","severity":"high"}"#;

#[test]
fn every_part_of_a_head_is_looked_at_and_named() {
    let set = rules(EVIL, Settings::default());
    assert_eq!(head(&set, "/a%3cevil%3e", &[]), hit(&["evil path"]));
    assert_eq!(head(&set, "/?q=%253Cevil%253E", &[]), hit(&["evil query:q"]));
    assert_eq!(head(&set, "/?<evil>", &[]), hit(&["evil query:<evil>"]));
    assert_eq!(head(&set, "/", &[("Cookie", "a=1; b=<evil>")]), hit(&["evil cookie:b"]));
    assert_eq!(head(&set, "/", &[("X-Thing", "&lt;evil&gt;")]), hit(&["evil header:x-thing"]));
    assert_eq!(head(&set, "/", &[("Accept", "<evil>")]), (Action::Pass, vec![]));
    assert_eq!(head(&set, "/?q=good", &[("X-Thing", "evil")]), (Action::Pass, vec![]));
}

#[test]
fn every_kind_of_body_is_looked_at_and_named() {
    let set = rules(EVIL, Settings::default());
    assert_eq!(
        body(&set, "application/x-www-form-urlencoded", "a=1&b=%3Cevil>", true),
        hit(&["evil body:b"])
    );
    let json = r#"{"user":{"tags":["\u003cevil>"]}}"#;
    assert_eq!(body(&set, "application/json", json, true), hit(&["evil body:user.tags.0"]));
    let part = "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"<evil>\"\r\n\r\n1\r\n--x--\r\n";
    assert_eq!(body(&set, "multipart/form-data; boundary=x", part, true), hit(&["evil body:f.filename"]));
    let untyped = set.transaction(context()).inspects_body(None);
    assert_eq!(untyped, Some(BodyKind::Urlencoded));
    assert_eq!(body(&set, "", "a=%3cevil>", true), hit(&["evil body:a"]));
}

#[test]
fn a_body_whose_type_a_backend_may_read_otherwise_is_inspected_and_stopped() {
    let set = rules(EVIL, Settings::default());
    let part = "--x\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n%3cevil>\r\n--x--\r\n";
    for (content_type, text, found) in [
        ("application/x-www-form-urlencoded,", "a=%3cevil>", "evil body:a"),
        ("application/x-www-form-urlencoded x", "a=%3cevil>", "evil body:a"),
        ("application/json, text/plain", r#"{"a":"\u003cevil>"}"#, "evil body:a"),
        ("multipart/form-data; boundary=x; x; charset=ibm037", part, ""),
        ("multipart/form-data,boundary=x", part, ""),
    ] {
        let (action, matches) = body(&set, content_type, text, true);
        assert_eq!(action, Action::Block, "{content_type}");
        assert!(
            matches.iter().any(|name| name == "secbeat-body-malformed body"),
            "{content_type}: {matches:?}"
        );
        assert!(found.is_empty() || matches.iter().any(|name| name == found), "{content_type}: {matches:?}");
    }
}

#[test]
fn a_body_that_cannot_be_read_is_stopped_by_name() {
    let set = rules(EVIL, Settings { json_depth_max: 2, args_max: 2, parts_max: 0, ..Settings::default() });
    assert_eq!(body(&set, "application/json", "{\"a\":", true), hit(&["secbeat-body-malformed body"]));
    assert_eq!(body(&set, "application/json", "{\"a\":", false), (Action::Pass, vec![]));
    assert_eq!(
        body(&set, "application/json", "{<evil>", true),
        hit(&["evil body", "secbeat-body-malformed body"])
    );
    assert_eq!(body(&set, "application/json", "[[[]]]", true), hit(&["secbeat-body-depth body"]));
    assert_eq!(
        body(&set, "application/x-www-form-urlencoded", "a&b&c", true),
        hit(&["secbeat-body-args body"])
    );
    assert_eq!(
        body(&set, "application/json; charset=utf-16", "1", true),
        hit(&["secbeat-body-malformed body"])
    );
    let part = "--x\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n1\r\n--x--\r\n";
    assert_eq!(body(&set, "multipart/form-data; boundary=x", part, true), hit(&["secbeat-body-parts body"]));
    assert_eq!(head(&set, "/?a&b&c", &[]), hit(&["secbeat-query-args query:"]));
}

#[test]
fn what_is_beyond_the_last_argument_is_looked_at_too() {
    let evil = r#"{"id":"evil","pattern":"<evil>","action":"block"}"#;
    let set = rules(evil, Settings { args_max: 2, ..Settings::default() });
    let seen = vec!["secbeat-query-args query:".to_owned(), "evil query:".to_owned()];
    assert_eq!(head(&set, "/?a&b&c=%3Cevil>", &[]), (Action::Block, seen));
    // Whoever has no use for the limit gives nothing else away.
    let scope = set.scope(false, &["secbeat-query-args".to_owned()]).unwrap();
    let judged = |target: &[u8]| {
        let request = Request { method: b"GET", target, fields: &[], ..Request::default() };
        named(set.judge_head(&request, Context { scope: &scope, ..context() }))
    };
    assert_eq!(judged(b"/?a&b&c=%3Cevil>"), (Action::Block, vec!["evil query:".to_owned()]));
    assert_eq!(judged(b"/?a&b&c"), (Action::Pass, vec![]));
}

#[test]
fn targets_say_where_a_rule_looks() {
    let set = rules(
        r#"{"id":"agent","pattern":"x","action":"block","targets":["header:User-Agent"]},
           {"id":"every","pattern":"y","action":"block","targets":["header:*"]},
           {"id":"most","pattern":"z","action":"block","targets":["headers"]}"#,
        Settings::default(),
    );
    assert_eq!(head(&set, "/?q=xyz", &[("X", "x"), ("Accept", "xz")]), (Action::Pass, vec![]));
    assert_eq!(
        head(&set, "/", &[("user-agent", "xyz")]),
        hit(&["agent header:user-agent", "every header:user-agent", "most header:user-agent"])
    );
    assert_eq!(head(&set, "/", &[("Accept", "xyz")]), hit(&["every header:accept"]));
    assert_eq!(head(&set, "/", &[("Host", "xyz")]), hit(&["every header:host", "most header:host"]));
}

#[test]
fn what_only_logs_lets_pass() {
    let weak = r#"{"id":"weak","pattern":"evil","action":"block","severity":"medium"}"#;
    let logged = (Action::Log, vec!["weak query:q".to_owned()]);
    assert_eq!(head(&rules(weak, Settings::default()), "/?q=evil", &[]).0, Action::Block);
    let lenient = Settings { block_suspicious: false, ..Settings::default() };
    assert_eq!(head(&rules(weak, lenient), "/?q=evil", &[]), logged);
    let monitor = Settings { monitor: true, ..Settings::default() };
    assert_eq!(head(&rules(&weak.replace("medium", "critical"), monitor), "/?q=evil", &[]), logged);
    let watched = weak.replace("\"medium\"", "\"critical\",\"mode\":\"monitor\"");
    assert_eq!(head(&rules(&watched, Settings::default()), "/?q=evil", &[]), logged);
    let log = weak.replace("block", "log");
    assert_eq!(head(&rules(&log, Settings::default()), "/?q=evil", &[]), logged);
    assert_eq!(body(&rules(weak, monitor), "application/json", "{", true).0, Action::Log);
}

#[test]
fn what_blocks_comes_before_what_logs() {
    let set = rules(
        r#"{"id":"l","pattern":"evil","action":"log","severity":"critical"},
           {"id":"b","pattern":"evil","action":"block","severity":"low"}"#,
        Settings::default(),
    );
    assert_eq!(head(&set, "/?q=evil", &[]), hit(&["b query:q", "l query:q"]));
}

#[test]
fn a_rule_ends_when_it_expires() {
    let until = |at: &str| {
        rules(&EVIL.replace("\"high\"", &format!("\"high\",\"expires_at\":\"{at}\"")), Settings::default())
    };
    assert_eq!(head(&until("2025-01-15T10:30:45Z"), "/<evil>", &[]).0, Action::Pass);
    assert_eq!(head(&until("2025-01-15T10:30:46Z"), "/<evil>", &[]).0, Action::Block);
}

#[test]
fn no_spelling_of_a_path_escapes_a_rule_for_it() {
    let set = rules(&EVIL.replace("\"high\"", "\"high\",\"paths\":[\"/admin\"]"), Settings::default());
    for path in ["/admin", "/admin/x", "/%61dmin", "//admin", "/x/../admin", "/%2561dmin/"] {
        assert_eq!(head(&set, &format!("{path}?q=<evil>"), &[]).0, Action::Block, "{path}");
    }
    assert_eq!(head(&set, "/shop?q=<evil>", &[]).0, Action::Pass);
}

#[test]
fn the_matches_of_all_phases_are_kept() {
    let set = rules(&EVIL.replace("block", "log"), Settings::default());
    let mut transaction = set.transaction(context());
    let _ = transaction.request_head(&Request {
        method: b"POST",
        target: b"/<evil>",
        fields: &[],
        ..Request::default()
    });
    let second = transaction.request_body(BodyKind::Json, None, b"\"<evil>\"", true);
    assert_eq!(named(second), (Action::Log, vec!["evil body".to_owned()]));
    let all: Vec<_> = transaction.into_matches().into_iter().map(|found| found.variable).collect();
    assert_eq!(all, ["path", "body"]);
}

#[test]
fn the_matched_text_is_shown_decoded() {
    let set = rules(EVIL, Settings::default());
    let verdict = set.judge_head(
        &Request { method: b"GET", target: b"/?q=1%3Cevil%3E2", fields: &[], ..Request::default() },
        context(),
    );
    let Reason::Rules(matches) = verdict.reason else { unreachable!("a rule matched") };
    assert_eq!(matches[0].matched, "<evil>");
}

#[test]
fn what_a_rule_allows_is_looked_at_no_more() {
    let set = rules(
        &format!(r#"{EVIL},{{"id":"health","pattern":"^/health$","action":"allow","targets":["path"]}}"#),
        Settings { block_suspicious: false, monitor: false, ..Settings::default() },
    );
    assert_eq!(head(&set, "/health?q=<evil>", &[]).0, Action::Allow);
    assert_eq!(head(&set, "/healthy?q=<evil>", &[]).0, Action::Block);
    let mut transaction = set.transaction(context());
    let _ = transaction.request_head(&Request {
        method: b"POST",
        target: b"/health",
        fields: &[],
        ..Request::default()
    });
    assert_eq!(transaction.inspects_body(Some(b"application/json")), None);
    assert_eq!(transaction.request_body(BodyKind::Json, None, b"\"<evil>", true), Verdict::PASS);
    assert_eq!(transaction.body_not_decoded(CompressionError::Ratio), Verdict::PASS);
    let ids: Vec<_> = transaction.into_matches().into_iter().map(|found| found.rule_id.to_string()).collect();
    assert_eq!(ids, ["health"]);
}

#[test]
fn an_allowing_rule_is_heard_among_any_number_of_others() {
    let set = rules(
        &format!(r#"{EVIL},{{"id":"key","pattern":"^s3cret$","action":"allow","targets":["header:x-key"]}}"#),
        Settings::default(),
    );
    let query: String = (0..100).map(|n| format!("n{n}=<evil>&")).collect();
    assert_eq!(head(&set, &format!("/?{query}"), &[("X-Key", "s3cret")]).0, Action::Allow);
    assert_eq!(head(&set, &format!("/?{query}"), &[("X-Key", "guess")]).0, Action::Block);
}

#[test]
fn the_strongest_action_settles_it() {
    let set = rules(
        r#"{"id":"l","pattern":"a","action":"log"},{"id":"r","pattern":"b","action":"rate_limit"},
           {"id":"s","pattern":"c","action":"sanitize"},{"id":"k","pattern":"d","action":"block"},
           {"id":"w","pattern":"e","action":"allow"}"#,
        Settings::default(),
    );
    let actions = [Action::Log, Action::RateLimit, Action::Sanitize, Action::Block, Action::Allow];
    for (number, action) in actions.into_iter().enumerate() {
        let target = format!("/?q={}", &"abcde"[..=number]);
        assert_eq!(head(&set, &target, &[]).0, action, "{target}");
    }
}

#[test]
fn a_rate_is_known_by_its_rule() {
    let set = rules(
        r#"{"id":"r","pattern":"a","action":"rate_limit"},{"id":"b","pattern":"a","action":"block"},
           {"id":"own","pattern":"a","action":"rate_limit","rate":{"requests":3,"per":1,"burst":5}}"#,
        Settings::default(),
    );
    assert_eq!(set.rate_of("r"), Some(RuleRate::default()));
    assert_eq!(set.rate_of("own"), Some(RuleRate { requests: 3, per: Duration::from_secs(1), burst: 5 }));
    assert_eq!((set.rate_of("b"), set.rate_of("none")), (None, None));
    let misplaced = r#"{"id":"b","pattern":"a","action":"block","rate":{"requests":3,"per":1}}"#;
    let parsed = parse_rules(&format!("{{\"rules\":[{misplaced}]}}")).unwrap();
    let error = RuleSet::compile(&parsed, &Settings::default()).unwrap_err();
    assert_eq!(error.key.as_deref(), Some("rate"));
}

#[test]
fn a_site_has_rules_off_and_may_only_watch() {
    let set = rules(EVIL, Settings::default());
    let judge = |scope: &Scope, body: &[u8]| {
        let mut transaction = set.transaction(Context { scope, ..context() });
        transaction.request_body(BodyKind::Json, None, body, true).action
    };
    let off =
        |ids: &[&str]| set.scope(false, &ids.iter().map(|id| (*id).into()).collect::<Vec<_>>()).unwrap();
    assert_eq!(judge(&Scope::default(), b"\"<evil>\""), Action::Block);
    assert_eq!(judge(&off(&["evil"]), b"\"<evil>\""), Action::Pass);
    assert_eq!(judge(&off(&["evil"]), b"{"), Action::Block);
    assert_eq!(judge(&off(&["secbeat-body-malformed"]), b"{"), Action::Pass);
    let watching = set.scope(true, &[]).unwrap();
    assert_eq!((judge(&watching, b"\"<evil>\""), judge(&watching, b"{")), (Action::Log, Action::Log));
}

#[test]
fn who_only_watches_edits_nothing() {
    let set = rules(&EVIL.replace("block", "sanitize"), Settings::default());
    let watching = set.scope(true, &[]).unwrap();
    let mut transaction = set.transaction(Context { scope: &watching, ..context() });
    let verdict = transaction.request_head(&Request {
        method: b"GET",
        target: b"/?q=<evil>",
        fields: &[],
        ..Request::default()
    });
    assert_eq!((verdict.action, transaction.edits()), (Action::Log, &[][..]));
}

#[test]
fn xml_is_looked_at_and_what_it_defines_is_refused() {
    let set = rules(EVIL, Settings::default());
    for kind in ["application/xml", "text/xml; charset=utf-8", "application/soap+xml"] {
        let text = "<a><b c='1'>&lt;evil&gt;</b></a>";
        assert_eq!(body(&set, kind, text, true), hit(&["evil body:/a/b"]), "{kind}");
    }
    let entity = "<!DOCTYPE a [<!ENTITY e '1'>]><a>&e;</a>";
    assert_eq!(body(&set, "text/xml", entity, true), hit(&["secbeat-body-malformed body"]));
}

#[test]
fn a_body_that_is_not_decoded_is_stopped_by_name() {
    let set = rules(EVIL, Settings::default());
    let verdict = set.transaction(context()).body_not_decoded(CompressionError::Ratio);
    assert_eq!(named(verdict), hit(&["secbeat-body-compression body"]));
}

proptest! {
    #[test]
    fn no_request_makes_it_panic(target in vec(any::<u8>(), 0..80), value in vec(any::<u8>(), 0..80)) {
        let set = rules(&EVIL.replace("\"high\"", "\"high\",\"paths\":[\"/admin\"]"), Settings::default());
        let fields = [(&b"cookie"[..], value.as_slice()), (b"x", value.as_slice())];
        let mut transaction = set.transaction(context());
        let _ = transaction.request_head(&Request { method: b"", target: &target, fields: &fields, ..Request::default() });
        for kind in [BodyKind::Json, BodyKind::Urlencoded, BodyKind::Multipart, BodyKind::Xml] {
            let _ = transaction.request_body(kind, Some(&target), &value, true);
        }
    }

    #[test]
    fn the_prefilter_never_says_no_wrongly(value in "(?:%3c|<|evil|vi|l|>|%253e|&gt;){0,8}") {
        let set = rules(EVIL, Settings::default());
        let plain = rules(EVIL, Settings::default()).plain();
        let target = format!("/?q={value}");
        prop_assert_eq!(head(&set, &target, &[]), head(&plain, &target, &[]));
    }
}
