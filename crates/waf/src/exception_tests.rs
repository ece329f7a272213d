use super::*;
use crate::{Context, Request, RuleSet, Settings, parse_exceptions, parse_rules};
use proptest::prelude::*;
use secbeat_types::{Action, Timestamp};
use std::net::Ipv4Addr;

const NOW: i64 = 1_736_937_045_000;

fn exceptions(list: &str) -> Result<ExceptionSet, RuleError> {
    ExceptionSet::compile(parse_exceptions(&format!(r#"{{"exceptions":[{list}]}}"#))?)
}

fn set() -> RuleSet {
    let rules = r#"{"rules":[
        {"id":"a","pattern":"evil","action":"block","category":"xss"},
        {"id":"b","pattern":"bad","action":"block","category":"sql_injection"}]}"#;
    RuleSet::compile(&parse_rules(rules).unwrap(), &Settings::default()).unwrap()
}

/// What is left of a request's matches.
fn judge(exceptions: &ExceptionSet, target: &str, fields: &[(&str, &str)]) -> Vec<String> {
    let set = set();
    let context = Context {
        host: b"Shop.example:8443",
        exceptions,
        ..Context::plain(Ipv4Addr::new(10, 1, 2, 3).into(), Timestamp::from_unix_ms(NOW))
    };
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let mut transaction = set.transaction(context);
    let _ = transaction.request_head(&Request {
        method: b"GET",
        target: target.as_bytes(),
        fields: &fields,
        ..Request::default()
    });
    transaction.into_matches().iter().map(|found| format!("{} {}", found.rule_id, found.variable)).collect()
}

/// Whether an exception keeps the match of rule `a` in `query:comment` of `/shop/cart` from counting.
fn excepts(exception: &str) -> bool {
    let set = exceptions(exception).unwrap();
    let left = judge(&set, "/shop/cart?comment=evil", &[]);
    assert_eq!(set.hits().map(|(_, hits)| hits.count).sum::<u64>(), u64::from(left.is_empty()));
    left.is_empty()
}

#[test]
fn an_exception_is_for_what_all_its_lists_say() {
    for yes in [
        r#"{"rules":["a"]}"#,
        r#"{"rules":["z","a"]}"#,
        r#"{"categories":["xss"]}"#,
        r#"{"paths":["/shop"]}"#,
        r#"{"paths":["/x","/shop/*"]}"#,
        r#"{"parameters":["query:comment"]}"#,
        r#"{"parameters":["query:com*"]}"#,
        r#"{"rules":["a"],"paths":["/"],"parameters":["*"],"clients":["0.0.0.0/0"]}"#,
        r#"{"parameters":["query:*"]}"#,
        r#"{"paths":["/s*"],"parameters":["*"]}"#,
        r#"{"hosts":["shop.example"]}"#,
        r#"{"clients":["10.0.0.0/8"]}"#,
        r#"{"clients":["10.1.2.3"]}"#,
        r#"{"rules":["a"],"expires_at":"2025-01-15T10:30:46Z"}"#,
        r#"{"rules":["a"],"categories":["xss"],"paths":["/shop"],"parameters":["query:*"],"hosts":["*.example"],
            "clients":["::ffff:0:0/96","10.0.0.0/8"]}"#,
    ] {
        assert!(excepts(yes), "{yes}");
    }
    for no in [
        r#"{"rules":["b"]}"#,
        r#"{"categories":["sql_injection"]}"#,
        r#"{"rules":["a"],"categories":["sql_injection"]}"#,
        r#"{"rules":["a"],"paths":["/sho"]}"#,
        r#"{"rules":["a"],"parameters":["query:comments","body:comment"]}"#,
        r#"{"rules":["a"],"hosts":["*.shop.example"]}"#,
        r#"{"rules":["a"],"clients":["10.2.0.0/16"]}"#,
        r#"{"rules":["a"],"expires_at":"2025-01-15T10:30:45Z"}"#,
    ] {
        assert!(!excepts(no), "{no}");
    }
}

#[test]
fn only_the_excepted_match_is_dropped() {
    let set = exceptions(r#"{"id":"e","rules":["a"],"parameters":["header:X-Note"]}"#).unwrap();
    let fields = [("x-note", "evil bad"), ("x-other", "evil")];
    assert_eq!(judge(&set, "/?q=evil", &fields), ["a query:q", "b header:x-note", "a header:x-other"]);
    assert_eq!(set.hits().map(|(e, hits)| (e.id.as_str(), hits.count)).collect::<Vec<_>>(), [("e", 1)]);
}

#[test]
fn a_match_is_counted_once_for_its_rule_and_variable() {
    let set = exceptions(r#"{"id":"e","rules":["a"],"parameters":["query:q"]}"#).unwrap();
    assert!(judge(&set, "/?q=evil%20&q=evil%2520&q=evil", &[]).is_empty());
    assert_eq!(set.hits().map(|(_, hits)| hits.count).collect::<Vec<_>>(), [1]);
}

#[test]
fn no_spelling_of_another_path_gets_the_exception() {
    let set = exceptions(r#"{"rules":["a"],"paths":["/shop"]}"#).unwrap();
    for path in ["/shop/../admin", "/shop/%2e%2e/admin", "/admin", "//admin/shop"] {
        assert!(!judge(&set, &format!("{path}?q=evil"), &[]).is_empty(), "{path}");
    }
    for path in ["/shop", "/shop/a%20b", "/shop/./x"] {
        assert!(judge(&set, &format!("{path}?q=evil"), &[]).is_empty(), "{path}");
    }
}

#[test]
fn the_programs_own_rules_can_be_excepted_too() {
    let rules = set();
    let exceptions = exceptions(r#"{"rules":["secbeat-body-malformed"],"paths":["/loose"]}"#).unwrap();
    let body = |path: &str| {
        let context = Context {
            exceptions: &exceptions,
            ..Context::plain(Ipv4Addr::LOCALHOST.into(), Timestamp::from_unix_ms(NOW))
        };
        let mut transaction = rules.transaction(context);
        let _ = transaction.request_head(&Request {
            method: b"POST",
            target: path.as_bytes(),
            fields: &[],
            ..Request::default()
        });
        transaction.request_body(crate::BodyKind::Json, None, b"{", true).action
    };
    assert_eq!((body("/loose/x"), body("/strict")), (Action::Pass, Action::Block));
}

#[test]
fn a_bad_exception_is_refused_by_its_place_and_key() {
    for (bad, key) in [
        (r#"{}"#, "rules"),
        (r#"{"reason":"x","rules":[]}"#, "rules"),
        (r#"{"paths":["/"]}"#, "rules"),
        (r#"{"paths":["//"]}"#, "rules"),
        (r#"{"paths":["/shop","/**"]}"#, "rules"),
        (r#"{"parameters":["*"]}"#, "rules"),
        (r#"{"parameters":["*","query:x"],"paths":["/*"]}"#, "rules"),
        (r#"{"clients":["0.0.0.0/0"]}"#, "rules"),
        (r#"{"clients":["10.0.0.0/8","::/0"]}"#, "rules"),
        (r#"{"hosts":["*"]}"#, "hosts"),
        (r#"{"id":"a b","rules":["a"]}"#, "id"),
        (r#"{"id":"x","rules":["a"]},{"id":"x","rules":["b"]}"#, "id"),
        (r#"{"rules":["a"],"paths":["shop"]}"#, "paths"),
        (r#"{"rules":["a"],"parameters":["comment"]}"#, "parameters"),
        (r#"{"rules":["a"],"parameters":["querry:x"]}"#, "parameters"),
        (r#"{"rules":["a"],"hosts":["shop.example:80"]}"#, "hosts"),
        (r#"{"rules":["a"],"clients":["10.0.0.0/33"]}"#, "clients"),
        (r#"{"rules":["a"],"categories":["csrff"]}"#, "categories"),
        (r#"{"rules":["a"],"expires_at":"tomorrow"}"#, "expires_at"),
        (r#"{"rules":"a"}"#, "rules"),
        (r#"{"rule":["a"]}"#, "rule"),
    ] {
        let error = exceptions(bad).unwrap_err();
        assert_eq!((error.key.as_deref(), error.subject), (Some(key), Subject::Exception), "{error}");
    }
    let error = exceptions(r#"{"id":"x","paramters":["path"]}"#).unwrap_err().to_string();
    assert_eq!(
        error,
        "exception x (number 1), key paramters, line 1, column 38: unknown key `paramters`; the nearest known key is \
         `parameters`"
    );
    for text in ["", "{}", "[]", r#"{"exceptions":{}}"#, r#"{"exception":[]}"#] {
        assert!(parse_exceptions(text).is_err(), "{text}");
    }
}

#[test]
fn an_exception_without_an_id_gets_one_from_what_it_says() {
    let ids = |list: &str| -> Vec<String> {
        exceptions(list).unwrap().hits().map(|(exception, _)| exception.id.clone()).collect()
    };
    let same = (ids(r#"{"rules":["a"]}"#), ids(r#"{"rules":["a"],"reason":"told twice"}"#));
    assert_eq!(same.0, same.1);
    assert!(same.0[0].starts_with("exc_"));
    assert_ne!(same.0, ids(r#"{"rules":["b"]}"#));
}

#[test]
fn an_exception_that_is_written_is_read_back() {
    let text =
        r#"{"id":"x","rules":["a"],"clients":["10.1.2.3/8"],"created_at":"2025-01-15T10:30:45Z","hits":7}"#;
    let exception: Exception = serde_json::from_str(text).unwrap();
    let again: Exception = serde_json::from_str(&serde_json::to_string(&exception).unwrap()).unwrap();
    assert_eq!(exception, again);
    assert_eq!(exception.clients[0].to_string(), "10.0.0.0/8");
}

#[test]
fn a_new_set_counts_on_where_the_old_one_was() {
    let before = exceptions(r#"{"id":"x","rules":["a"]},{"id":"y","rules":["b"]}"#).unwrap();
    assert!(judge(&before, "/?q=evil", &[]).is_empty());
    let after =
        exceptions(r#"{"id":"z","rules":["b"]},{"id":"x","rules":["a"]}"#).unwrap().counting_on(&before);
    assert!(judge(&after, "/?q=evil", &[]).is_empty());
    let hits = |set: &ExceptionSet| set.hits().map(|(_, hits)| hits.count).collect::<Vec<_>>();
    assert_eq!((hits(&before), hits(&after)), (vec![2, 0], vec![0, 2]));
}

#[test]
fn ten_thousand_exceptions_are_found_by_their_rule() {
    let list: Vec<String> = (0..10_000)
        .map(|n| {
            format!(r#"{{"id":"e{n}","rules":["r{n}"],"paths":["/shop/{n}"],"parameters":["query:p{n}"]}}"#)
        })
        .chain([r#"{"id":"it","rules":["a"]}"#.to_owned()])
        .collect();
    let set = exceptions(&list.join(",")).unwrap();
    assert_eq!(set.len(), 10_001);
    assert_eq!(set.by_rule.get("a"), Some(&vec![10_000]));
    assert!(set.general.is_empty() && set.by_category.is_empty());
    assert!(judge(&set, "/?q=evil", &[]).is_empty());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,80}") {
        let _ = parse_exceptions(&text);
        let quoted = serde_json::to_string(&text).unwrap();
        for key in ["rules", "paths", "parameters", "hosts", "clients", "categories"] {
            let _ = exceptions(&format!(r#"{{"{key}":[{quoted}]}}"#));
        }
    }
}
