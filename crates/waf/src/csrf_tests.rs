use super::*;
use crate::{Context, RuleSet, Settings};
use secbeat_types::{Action, Reason, Timestamp};
use std::net::Ipv4Addr;

fn csrf(require: bool) -> Csrf {
    let allowed = ["https://Partner.example".to_owned(), "http://dev.example:3000".to_owned()];
    Csrf::new(false, &allowed, &["/webhooks".to_owned()], require).unwrap()
}

/// What is found, as `header: value`.
fn found(csrf: &Csrf, method: &str, fields: &[(&str, &str)]) -> Option<String> {
    let mut all = vec![(&b"Host"[..], &b"shop.example"[..])];
    all.extend(fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    let request = Request { method: method.as_bytes(), target: b"/cart", fields: &all, ..Request::default() };
    let forged = csrf.find(&request, b"");
    forged.map(|forged| format!("{}: {}", forged.header, String::from_utf8_lossy(forged.value)))
}

fn post(fields: &[(&str, &str)]) -> Option<String> {
    found(&csrf(false), "POST", fields)
}

#[test]
fn a_request_of_the_site_itself_passes() {
    for fields in [
        &[("Sec-Fetch-Site", "same-origin")][..],
        &[("Sec-Fetch-Site", "none")],
        &[("Sec-Fetch-Site", "same-origin"), ("Origin", "https://other.example")],
        &[("Origin", "https://shop.example")],
        &[("Origin", "http://SHOP.example:80")],
        &[("Referer", "https://shop.example/cart?x=http://evil.example/")],
        &[("Origin", ""), ("Cookie", "sid=1")],
        &[("Cookie", "sid=1")],
        &[],
    ] {
        assert_eq!(post(fields), None, "{fields:?}");
    }
}

#[test]
fn a_request_of_another_site_is_found_and_says_by_which_header() {
    for (fields, expected) in [
        (&[("Sec-Fetch-Site", "cross-site")][..], "sec-fetch-site: cross-site"),
        (&[("Sec-Fetch-Site", "same-site"), ("Origin", "https://shop.example")], "sec-fetch-site: same-site"),
        (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "new")], "sec-fetch-site: new"),
        (&[("Origin", "https://evil.example")], "origin: https://evil.example"),
        (&[("Origin", "null")], "origin: null"),
        (&[("Origin", "https://shop.example:8443")], "origin: https://shop.example:8443"),
        (&[("Origin", "https://shop.example.evil.example")], "origin: https://shop.example.evil.example"),
        (&[("Origin", "https://shop.example@evil.example")], "origin: https://shop.example@evil.example"),
        (
            &[("Origin", "https://shop.example"), ("Origin", "https://evil.example")],
            "origin: https://evil.example",
        ),
        (&[("Referer", "https://evil.example/shop.example")], "referer: https://evil.example/shop.example"),
        (&[("Referer", "about:blank")], "referer: about:blank"),
        (
            &[("Origin", "https://evil.example"), ("Referer", "https://shop.example/")],
            "origin: https://evil.example",
        ),
    ] {
        assert_eq!(post(fields).as_deref(), Some(expected), "{fields:?}");
    }
    for method in ["PUT", "PATCH", "DELETE", "get", "PURGE"] {
        assert!(found(&csrf(false), method, &[("Origin", "null")]).is_some(), "{method}");
    }
    for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
        assert_eq!(found(&csrf(true), method, &[("Origin", "null"), ("Cookie", "sid=1")]), None, "{method}");
    }
}

#[test]
fn partners_may_by_their_origin_alone() {
    for origin in ["https://partner.example", "https://partner.example:443", "http://dev.example:3000"] {
        assert_eq!(post(&[("Origin", origin), ("Sec-Fetch-Site", "cross-site")]), None, "{origin}");
    }
    for origin in ["http://partner.example", "https://a.partner.example", "http://dev.example"] {
        assert!(post(&[("Origin", origin)]).is_some(), "{origin}");
    }
    assert!(post(&[("Referer", "https://partner.example/")]).is_some());
    assert!(post(&[("Origin", "https://partner.example"), ("Origin", "https://evil.example")]).is_some());
}

#[test]
fn a_cookie_may_be_required_to_say_where_it_comes_from() {
    assert_eq!(found(&csrf(true), "POST", &[("Cookie", "sid=1")]).as_deref(), Some("origin: "));
    assert_eq!(found(&csrf(true), "POST", &[]), None);
    assert_eq!(found(&csrf(true), "POST", &[("Cookie", "sid=1"), ("Referer", "http://shop.example/")]), None);
}

#[test]
fn a_websocket_of_another_site_with_this_sites_cookies_is_found() {
    let upgrade = |origin: &str, more: &[(&str, &str)]| {
        let fields = [&[("Upgrade", "h2c, WebSocket"), ("Origin", origin)], more].concat();
        found(&csrf(false), "GET", &fields)
    };
    assert!(upgrade("https://evil.example", &[("Cookie", "sid=1")]).is_some());
    assert_eq!(upgrade("https://evil.example", &[]), None);
    assert_eq!(upgrade("https://shop.example", &[("Cookie", "sid=1")]), None);
    assert_eq!(
        found(&csrf(false), "GET", &[("Upgrade", "h2c"), ("Origin", "null"), ("Cookie", "a=1")]),
        None
    );
}

#[test]
fn the_host_is_that_of_an_absolute_target_or_what_the_caller_knows() {
    let fields = [(&b"Origin"[..], &b"http://shop.example"[..])];
    let of = |target: &'static [u8], host: &'static [u8]| {
        csrf(false)
            .find(&Request { method: b"POST", target, fields: &fields, ..Request::default() }, host)
            .is_some()
    };
    assert!(!of(b"http://shop.example/cart", b"other.example"));
    assert!(of(b"http://other.example/cart", b"shop.example"));
    assert!(!of(b"/cart", b"shop.example"));
    assert!(of(b"/cart", b"shop.example:8080"));
}

#[test]
fn a_finding_blocks_or_logs_and_exempt_paths_are_free() {
    let set = RuleSet::compile(&[], &Settings::default()).unwrap();
    let judge = |csrf: &Csrf, target: &str| {
        let fields = [(&b"Host"[..], &b"shop.example"[..]), (b"Origin", b"https://evil.example")];
        let context = Context {
            csrf: Some(csrf),
            ..Context::plain(Ipv4Addr::LOCALHOST.into(), Timestamp::from_unix_ms(0))
        };
        let verdict = set.transaction(context).request_head(&Request {
            method: b"POST",
            target: target.as_bytes(),
            fields: &fields,
            ..Request::default()
        });
        let ids = match verdict.reason {
            Reason::Rules(matches) => {
                matches.iter().map(|m| format!("{} {}", m.rule_id, m.variable)).collect()
            }
            _ => Vec::new(),
        };
        (verdict.action, ids)
    };
    let ids = vec!["secbeat-csrf header:origin".to_owned()];
    assert_eq!(judge(&csrf(false), "/cart"), (Action::Block, ids.clone()));
    assert_eq!(judge(&csrf(false), "/webhooks/stripe").0, Action::Pass);
    // Not by one spelling alone: a backend may read another.
    assert_eq!(judge(&csrf(false), "/webhooks/..%2fcart").0, Action::Block);
    let watching = Csrf::new(true, &[], &[], false).unwrap();
    assert_eq!(judge(&watching, "/cart"), (Action::Log, ids));
}

#[test]
fn what_is_no_origin_is_refused_by_name() {
    for bad in ["partner.example", "https://partner.example/", "https://", "null", "https://a b"] {
        let error = Csrf::new(false, &[bad.to_owned()], &[], false).unwrap_err();
        assert!(error.contains(bad), "{error}");
    }
    assert!(Csrf::new(false, &[], &["webhooks".to_owned()], false).is_err());
}
