//! Requests that are made to hurt whoever looks at them: each has a verdict, within the work that it may cost, and the node lives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Origin, Setup, request};
use std::fmt::Write;

const FORM: &str = "application/x-www-form-urlencoded";

/// A body of this type.
fn post(kind: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let fields = format!("User-Agent: Mozilla/5.0\r\nAccept: */*\r\nContent-Type: {kind}\r\n");
    request("POST /", &fields, body)
}

fn get(target: &str, fields: &str) -> Vec<u8> {
    format!(
        "GET {target} HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n{fields}\r\n"
    )
    .into_bytes()
}

/// So many arguments, each with this value.
fn arguments(count: usize, value: &str) -> String {
    let mut form = String::new();
    for i in 0..count {
        write!(form, "{}a{i}={value}", if i == 0 { "" } else { "&" }).unwrap();
    }
    form
}

/// What it is, the request, and whether it must be stopped.
fn hostile() -> Vec<(&'static str, Vec<u8>, bool)> {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let words = "select+and+or+cat+union+from+where+echo+like+if+then";
    let part = "Content-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n";
    let multipart = "multipart/form-data; boundary=b0";
    vec![
        ("ten thousand arguments", post(FORM, arguments(10_000, "1")), true),
        ("nine hundred arguments of words of many rules", post(FORM, arguments(900, words)), false),
        ("a mebibyte of %25", post(FORM, format!("a={}", "%25".repeat(349_000))), false),
        ("half a mebibyte of <", post(FORM, format!("a={}", "<".repeat(524_288))), false),
        ("quotes without end", post(FORM, format!("a={}", "%27\"`".repeat(20_000))), false),
        ("comments without end", post(FORM, format!("a={}", "/*%2f*".repeat(20_000))), false),
        ("entities without end", post(FORM, format!("a={}", "%26%23x".repeat(20_000))), false),
        ("dots and slashes", post(FORM, format!("a={}", "./../".repeat(20_000))), false),
        ("JSON, ten thousand deep", post("application/json", nested(10_000)), true),
        ("JSON, sixty deep", post("application/json", nested(60)), false),
        ("JSON that ends early", post("application/json", "{\"a\":[\"b\""), true),
        ("a part that does not end", post(multipart, format!("--b0\r\n{part}")), true),
        ("another boundary", post(multipart, format!("--c1\r\n{part}--c1--\r\n")), true),
        ("a boundary and no more", post(multipart, "--b0"), true),
        ("no boundary", post("multipart/form-data", format!("--b0\r\n{part}--b0--\r\n")), true),
        ("XML that ends early", post("application/xml", "<a><b>"), true),
        ("UTF-8 that is none", post(FORM, b"a=%ff%fe%c0%80&b=\xff\xfe\xc0\xaf".as_slice()), false),
        ("UTF-8 that is none, in the path", get("/%ff%c0%ae%c0%ae/", ""), false),
        ("NUL", post(FORM, "a=b%00c"), true),
        ("bytes NUL", post(FORM, b"a=\0\0\0".as_slice()), true),
        ("NUL in the query", get("/?a=%00", ""), true),
        ("a thousand cookies", get("/", &format!("Cookie: {}\r\n", "a=<b;".repeat(1000))), false),
        ("percent and no more", get("/?%=%&%%%=%u%uff%", ""), false),
    ]
}

#[test]
fn each_has_a_verdict_within_its_work_and_the_node_lives() {
    let origin = Origin::echo();
    let Some(setup) = Setup::before(&origin).rule_set() else { return };
    let mut node = setup.set("waf.inspect_body_limit", 4 << 20).set("waf.crs.paranoia_level", 1).start();
    let fine = get("/search?q=sea", "");
    let before = node.resident_bytes();
    for (level, budget) in [(1, 100_000_000_u64), (4, 100_000_000), (4, 20_000)] {
        node.configure("waf.crs.paranoia_level", level);
        node.configure("waf.work_budget", budget);
        node.reload();
        for (what, request, is_stopped) in hostile() {
            let answer = node.ask(&request);
            let expected: &[u16] = if is_stopped { &[403, 400] } else { &[200, 400, 403] };
            assert!(expected.contains(&answer.status), "{what} at level {level}: {}", answer.status);
            if answer.status != 200 {
                let event = node.event_of(&answer);
                assert!(event["rule_id"].is_string() || event["type"] == "protocol", "{what}: {event:#}");
            }
            // Whatever is longer than the work that is left for it is stopped for that.
            if budget == 20_000 && request.len() > 100_000 {
                assert_eq!(answer.status, 403, "{what} with little work");
            }
            assert_eq!(node.ask(&fine).status, 200, "behind {what} at level {level}");
        }
    }
    let grown = node.resident_bytes().saturating_sub(before);
    assert!(grown < 192 << 20, "{grown} bytes more than before");
}
