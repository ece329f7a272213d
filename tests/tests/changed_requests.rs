//! What follows where a request is changed, or would have been, at the edges: nothing that was sent is ever read as something else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Node, Origin, Setup, request};

const SANITIZE: &str = r#"{"rules":[{"id":"script","pattern":"<script>","action":"sanitize"},
    {"id":"counted","pattern":"probe","action":"rate_limit","rate":{"requests":1,"per":3600}},
    {"id":"taken","pattern":"probe<b>","action":"sanitize"}]}"#;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const JSON: &str = "Content-Type: application/json\r\n";

/// What `gzip` makes of a text.
fn gzipped(text: &str) -> Vec<u8> {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut gzip =
        Command::new("gzip").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = gzip.stdin.take().unwrap();
    let text = text.to_owned();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    let output = gzip.wait_with_output().unwrap();
    writer.join().unwrap();
    output.stdout
}

#[test]
fn a_body_behind_a_head_that_cannot_be_cleaned_is_never_a_request() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).rules(SANITIZE).start();
    // Only decoded does it match, and written anew every quote takes three bytes: more than a target may have.
    let target = format!("/?a=%3Cscript%3E{}", "'".repeat(4000));
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n";
    let mut client = node.client();
    client.send(request(&format!("POST {target}"), FORM, smuggled));
    let refused = client.answer_to("POST");
    assert_eq!(refused.status, 403);
    assert!(client.is_closed(), "its body was not read");
    assert!(origin.is_untouched());
}

#[test]
fn a_cleaned_head_and_the_next_request_behind_it_are_two() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).rules(SANITIZE).start();
    let mut client = node.client();
    let first = request("POST /?a=x<script>y", FORM, "b=1");
    let second = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send([first.as_slice(), second.as_bytes()].concat());
    assert_eq!(client.answer_to("POST").status, 200);
    assert_eq!(client.answer_to("GET").status, 200);
    let received = origin.requests();
    let lines: Vec<&str> = received.iter().map(|request| request.message.start.as_str()).collect();
    assert_eq!(lines, ["POST /?a=xy HTTP/1.1", "GET /next HTTP/1.1"]);
    assert_eq!(received[0].message.body, b"b=1");
}

#[test]
fn a_body_that_decodes_to_more_than_is_inspected_is_as_one_that_came_so_long() {
    let origin = Origin::echo();
    let long = format!("{{\"a\":\"{}\",\"b\":\"<script>\"}}", "xyz ".repeat(1000));
    let body = gzipped(&long);
    let coded = [JSON, "Content-Encoding: gzip\r\n"].concat();
    let setup = || Setup::before(&origin).rules(SANITIZE).set("waf.inspect_body_limit", 2048);
    let node = setup().text("waf.on_body_over_limit", "block").start();
    let refused = node.ask(request("POST /", &coded, &body));
    assert_eq!(refused.status, 413);
    assert_eq!(node.event_of(&refused)["event"], "body_too_large_to_inspect");
    assert!(origin.is_untouched());
    let node = setup().start();
    let passed = node.ask(request("POST /", &coded, &body));
    assert_eq!(passed.status, 200);
    let told = node.explained(&passed);
    let step =
        told["trace"].as_array().unwrap().iter().find(|step| step["stage"] == "firewall_body").unwrap();
    assert!(step["why"].as_str().unwrap().contains("waf.inspect_body_limit"), "{told}");
    assert_eq!(origin.last().message.body, body);
}

#[test]
fn where_the_firewall_only_logs_it_stops_no_body() {
    let origin = Origin::echo();
    let node = Setup::before(&origin)
        .rules(SANITIZE)
        .text("waf.mode", "monitor")
        .text("waf.on_body_over_limit", "block")
        .set("waf.inspect_body_limit", 1024)
        .set("waf.body_memory_budget", 65_536)
        .start();
    for (fields, body) in [
        ([JSON, "Content-Encoding: lzma\r\n"].concat(), vec![b'x'; 10]),
        (JSON.to_owned(), vec![b' '; 3000]),
        (FORM.to_owned(), b"a=<script>".to_vec()),
    ] {
        let passed = node.ask(request("POST /", &fields, &body));
        assert_eq!(passed.status, 200, "{fields}");
        assert_eq!(origin.last().message.body, body, "{fields}");
        assert_eq!(node.event_of(&passed)["blocked"], false, "{fields}");
    }
}

#[test]
fn what_is_taken_out_of_a_request_is_counted_all_the_same() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).rules(SANITIZE).start();
    assert_eq!(node.get("/?a=probe<b>").status, 200);
    assert_eq!(origin.last().message.start, "GET /?a= HTTP/1.1");
    assert_eq!(node.get("/?a=probe<b>").status, 429);
}

#[test]
fn a_request_that_comes_slowly_is_counted_when_it_is_asked() {
    let origin = Origin::echo();
    let node: Node =
        Setup::before(&origin).tables("[[rate_limits]]\nname = \"few\"\nrequests = 2\nper = 3600\n").start();
    // All have begun before the first is counted.
    let mut clients: Vec<_> = (0..4).map(|_| node.client()).collect();
    for client in &mut clients {
        client.send("GET / HTTP/1.1\r\n");
    }
    let statuses: Vec<u16> = clients
        .iter_mut()
        .rev()
        .map(|client| {
            client.send("Host: a\r\n\r\n");
            client.answer_to("GET").status
        })
        .collect();
    assert_eq!(statuses, [200, 200, 429, 429]);
}
