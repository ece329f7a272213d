//! Requests that another site has a browser make: stopped by what browsers say of where they come from.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Answer, Node, Origin, Setup, request};

fn setup(origin: &Origin) -> Setup {
    Setup::before(origin)
        .set("waf.csrf.enable", true)
        .set("waf.csrf.allowed_origins", "[\"https://partner.example\"]")
        .set("waf.csrf.exempt_paths", "[\"/hooks\"]")
}

fn ask(node: &Node, line: &str, fields: &str) -> Answer {
    node.ask(request(line, &format!("Cookie: session=1\r\n{fields}"), ""))
}

#[test]
fn what_another_site_has_a_browser_send_is_stopped() {
    let origin = Origin::echo();
    let node = setup(&origin).start();
    for fields in [
        "Origin: https://evil.test\r\n",
        "Origin: null\r\n",
        "Origin: http://site.test:8080\r\n",
        "Origin: http://site.test.evil.test\r\n",
        "Origin: http://evil.test/site.test\r\n",
        "Origin: http://site.test@evil.test\r\n",
        "Origin: https://a.partner.example\r\n",
        "Origin: https://partner.example:8443\r\n",
        "Origin: http://partner.example\r\n",
        "Origin: http://site.test\r\nOrigin: https://evil.test\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: anything\r\n",
        "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: cross-site\r\nOrigin: http://site.test\r\n",
        "Referer: https://evil.test/page?http://site.test\r\n",
    ] {
        let answer = ask(&node, "POST /transfer", fields);
        assert_eq!(answer.status, 403, "{fields}");
        let event = node.event_of(&answer);
        assert_eq!((&event["attack_type"], &event["rule_id"]), (&"csrf".into(), &"secbeat-csrf".into()));
    }
    for method in ["PUT", "PATCH", "DELETE"] {
        assert_eq!(
            ask(&node, &format!("{method} /"), "Origin: https://evil.test\r\n").status,
            403,
            "{method}"
        );
    }
    // A browser opens a WebSocket to any site, with its cookies.
    let upgrade = "Connection: upgrade\r\nUpgrade: websocket\r\nOrigin: https://evil.test\r\n";
    let websocket = format!("GET /ws HTTP/1.1\r\nHost: site.test\r\nCookie: session=1\r\n{upgrade}\r\n");
    assert_eq!(node.ask(websocket).status, 403);
    assert!(origin.is_untouched());
    assert!(node.metric("secbeat_attacks_blocked_total{type=\"csrf\"}") >= 20.0);
}

#[test]
fn what_the_site_itself_its_partners_and_programs_send_passes() {
    let origin = Origin::echo();
    let node = setup(&origin).start();
    for fields in [
        "",
        "Origin: http://site.test\r\n",
        "Origin: https://site.test\r\n",
        "Origin: HTTP://Site.Test:80\r\n",
        "Origin: https://partner.example\r\n",
        "Origin: https://partner.example:443\r\nSec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-origin\r\n",
        "Sec-Fetch-Site: none\r\n",
        "Referer: http://site.test/form?a=b\r\n",
    ] {
        assert_eq!(ask(&node, "POST /transfer", fields).status, 200, "{fields}");
    }
    // A link from anywhere may be followed.
    for method in ["GET", "HEAD", "OPTIONS"] {
        let fields = "Origin: https://evil.test\r\nSec-Fetch-Site: cross-site\r\n";
        assert_eq!(ask(&node, &format!("{method} /page"), fields).status, 200, "{method}");
    }
}

#[test]
fn an_exempt_path_is_open_to_all_and_no_spelling_of_another_is_one() {
    let origin = Origin::echo();
    let node = setup(&origin).start();
    let status = |path: &str| ask(&node, &format!("POST {path}"), "Origin: https://evil.test\r\n").status;
    for path in ["/hooks", "/hooks/paid", "/hooks/paid?a=b"] {
        assert_eq!(status(path), 200, "{path}");
    }
    for path in ["/hooksmith", "/a/hooks", "/hooks/../account", "/hooks/%2e%2e/account", "/account?/hooks"] {
        assert_eq!(status(path), 403, "{path}");
    }
}

#[test]
fn where_it_is_required_a_request_with_cookies_says_where_it_comes_from() {
    let origin = Origin::echo();
    let node = setup(&origin).set("waf.csrf.require", true).start();
    assert_eq!(ask(&node, "POST /", "").status, 403);
    assert_eq!(ask(&node, "POST /", "Origin: http://site.test\r\n").status, 200);
    assert_eq!(ask(&node, "GET /", "").status, 200);
    assert_eq!(ask(&node, "POST /hooks", "").status, 200);
    assert_eq!(node.ask(request("POST /", "", "")).status, 200, "without a cookie nothing is forged");
}
