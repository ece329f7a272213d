//! What somebody reads whose request went no further: HTML, JSON or text as he asks for it, the operator's own page where there is
//! one, always with the id by which the operator finds out why, and never with what the client itself has sent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Answer, Node, Origin, Setup};
use serde_json::Value;
use std::fs;

const ATTACK: &str = "/?q=%3Cscript%3Ealert(1)%3C/script%3E";

fn stopped(node: &Node, host: &str, accept: &str) -> Answer {
    let answer = node.ask(format!("GET {ATTACK} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\n\r\n"));
    assert_eq!(answer.status, 403);
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    let id = answer.field("x-request-id").unwrap();
    assert!(answer.text().contains(id), "{}", answer.text());
    answer
}

#[test]
fn a_browser_reads_a_page_a_program_an_object_and_everybody_else_text() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    for (accept, kind) in [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        ("application/json", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        ("application/vnd.api+json", "application/json"),
        ("text/html;q=0.2, application/json;q=0.9", "application/json"),
        ("TEXT/HTML", "text/html; charset=utf-8"),
        ("*/*", "text/plain; charset=utf-8"),
        ("image/avif,image/webp", "text/plain; charset=utf-8"),
        ("", "text/plain; charset=utf-8"),
        ("text/html;q=0,,;;=,\"", "text/plain; charset=utf-8"),
    ] {
        let answer = stopped(&node, "a", accept);
        assert_eq!(answer.field("content-type"), Some(kind), "{accept}");
        if kind == "application/json" {
            let error = &answer.json()["error"];
            assert_eq!((&error["status"], &error["reason"]), (&403.into(), &"Forbidden".into()), "{error}");
        }
    }
    // A page for each status that we answer ourselves, and none for what the backend answers.
    for (request, status) in [
        ("TRACE / HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n", 405),
        ("GET / HTTP/1.1\r\nAccept: application/json\r\n\r\n", 400),
    ] {
        let answer = node.ask(request);
        assert_eq!(answer.status, status);
        assert_eq!(answer.field("content-length"), Some(answer.message.body.len().to_string().as_str()));
    }
    assert_eq!(node.ask("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n").text(), "");
    let head = node.ask(format!("HEAD {ATTACK} HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n"));
    assert_eq!((head.status, head.text().as_str()), (403, ""));
}

#[test]
fn a_site_has_its_own_page_and_nothing_that_the_client_sent_is_in_any() {
    let origin = Origin::echo();
    let setup = Setup::before(&origin)
        .text("error_pages.html", "all.html")
        .tables("[[sites]]\nhosts = [\"shop.test\"]\nerror_page_html = \"shop.html\"\nerror_page_json = \"shop.json\"");
    fs::write(
        setup.path("all.html"),
        "<h1>All: {status} {reason}</h1><p>{message} <i>{request_id}</i> {other}",
    )
    .unwrap();
    fs::write(setup.path("shop.html"), "<style>p { color: red }</style><p>Shop {request_id}").unwrap();
    fs::write(setup.path("shop.json"), r#"{"shop":{"id":"{request_id}","why":"{message}","code":{status}}}"#)
        .unwrap();
    let node = setup.start();
    let text = stopped(&node, "other.test", "text/html").text();
    assert!(text.starts_with("<h1>All: 403 Forbidden</h1><p>") && text.ends_with("</i> {other}"), "{text}");
    assert!(!text.contains("{request_id}") && !text.contains("alert"), "{text}");
    let text = stopped(&node, "shop.test", "text/html").text();
    assert!(text.starts_with("<style>p { color: red }</style><p>Shop "), "{text}");
    assert_eq!(stopped(&node, "shop.test", "application/json").json()["shop"]["code"], 403);
    assert!(stopped(&node, "other.test", "application/json").json()["error"].is_object());
    let text = stopped(&node, "shop.test", "text/plain").text();
    assert!(text.starts_with("403 Forbidden\n") && !text.contains("alert"), "{text}");
    // A host in another site's name, with markup in it.
    let answer =
        node.ask(format!("GET {ATTACK} HTTP/1.1\r\nHost: <b>shop.test\r\nAccept: text/html\r\n\r\n"));
    assert!(!answer.text().contains("<b>shop"), "{}", answer.text());
}

#[test]
fn a_page_is_read_again_at_a_reload_and_a_bad_one_is_refused_with_its_key() {
    let origin = Origin::echo();
    let setup =
        Setup::before(&origin).text("error_pages.html", "page.html").text("error_pages.json", "page.json");
    fs::write(setup.path("page.html"), "<p>first {request_id}").unwrap();
    fs::write(setup.path("page.json"), r#"{"id":"{request_id}"}"#).unwrap();
    let node = setup.start();
    let page = |node: &Node| stopped(node, "a", "text/html").text();
    assert!(page(&node).starts_with("<p>first "));
    fs::write(node.setup.path("page.html"), "<p>second {request_id}").unwrap();
    node.reload();
    assert!(page(&node).starts_with("<p>second "));

    let refused = |node: &Node, key: &str, says: &str| {
        let answer = node.post("/api/v1/reload", "");
        assert_eq!(answer.status, 422, "{}", answer.text());
        let error: Value = answer.json()["error"].clone();
        assert!(error.to_string().contains(key) && error.to_string().contains(says), "{key}: {error}");
        assert!(page(node).starts_with("<p>second "), "the old one stays");
    };
    let write = |name: &str, text: &[u8]| fs::write(node.setup.path(name), text).unwrap();
    write("page.html", b"<p>third");
    refused(&node, "error_pages.html", "{request_id}");
    write("page.html", &[b'x'; (64 << 10) + 1]);
    refused(&node, "error_pages.html", "65536");
    write("page.html", b"\xff{request_id}");
    refused(&node, "error_pages.html", "UTF-8");
    fs::remove_file(node.setup.path("page.html")).unwrap();
    refused(&node, "error_pages.html", "page.html");
    write("page.html", b"<p>second {request_id}");
    write("page.json", br#"{"id":{request_id}}"#);
    refused(&node, "error_pages.json", "JSON");
    write("page.json", br#"{"id":"{request_id}"}"#);
    node.reload();
}
