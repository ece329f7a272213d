//! The Core Rule Set as Debian ships it, switched on by one line: attacks are stopped wherever they stand and told with what they
//! scored, people are not, and what stops one by mistake is found, excepted, and goes through.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Answer, Node, Origin, Setup};
use serde_json::{Value, json};

/// What a browser sends with everything.
const BROWSER: &str = "Host: shop.test\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n";

const SQLI: &str = "1' union select password from users-- ";
const XSS: &str = "<script>alert(document.cookie)</script>";
const LFI: &str = "../../../../etc/passwd";
const RCE: &str = "a;`/bin/bash -c whoami`";

/// An attack at a place, and the variable that it is found in.
struct Case {
    category: &'static str,
    request: Vec<u8>,
    variable: String,
}

fn setup(origin: &Origin) -> Option<Setup> {
    Setup::before(origin).rule_set()
}

/// As a browser asks, with further fields.
fn get(target: &str, fields: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\n{BROWSER}{fields}\r\n").into_bytes()
}

fn post(kind: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "POST /comments HTTP/1.1\r\n{BROWSER}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Percent-encoded, all but letters and digits.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(byte).collect()
}

/// One attack in each place.
fn everywhere(category: &'static str, attack: &str) -> Vec<Case> {
    let escaped = attack.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let part = format!("--b0\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n{attack}\r\n--b0--\r\n");
    let case = |request: Vec<u8>, variable: &str| Case { category, request, variable: variable.to_owned() };
    vec![
        case(get(&format!("/search?page=2&q={}", encoded(attack)), ""), "ARGS:q"),
        case(post("application/x-www-form-urlencoded", format!("a=b&text={}", encoded(attack))), "ARGS:text"),
        case(
            post("application/json", json!({"a": [{"text": attack}]}).to_string()),
            "ARGS:json.a.array_0.text",
        ),
        case(post("application/xml", format!("<a><b>{escaped}</b></a>")), "XML:/*"),
        case(post("multipart/form-data; boundary=b0", part), "ARGS:text"),
        case(get("/", &format!("Cookie: a=b; theme={}\r\n", encoded(attack))), "REQUEST_COOKIES:theme"),
    ]
}

/// Attacks in the fields where each kind is looked for.
fn in_fields() -> Vec<Case> {
    let field = |category, name: &str, value: &str| Case {
        category,
        request: get("/", &format!("{name}: {value}\r\n")),
        variable: format!("REQUEST_HEADERS:{name}"),
    };
    vec![
        field("sql_injection", "Referer", SQLI.trim_end()),
        field("xss", "Referer", XSS),
        field("path_traversal", "X-File", LFI),
        field("command_injection", "X-Shell", "() { :; }; /bin/bash -c whoami"),
    ]
}

fn matches(event: &Value) -> Vec<&Value> {
    event["matches"].as_array().unwrap().iter().collect()
}

/// The rules that the event says have stopped the request because of this variable.
fn rules_in<'e>(event: &'e Value, variable: &str) -> Vec<&'e str> {
    let is = |found: &&&Value| found["variable"] == variable && found["action"] == "block";
    matches(event).iter().filter(is).map(|found| found["rule_id"].as_str().unwrap()).collect()
}

/// The same request once more: the status alone.
fn status(node: &Node, request: impl AsRef<[u8]>) -> u16 {
    node.ask(request).status
}

#[test]
fn attacks_are_stopped_wherever_they_stand_and_told_with_what_they_scored() {
    let origin = Origin::echo();
    let Some(setup) = setup(&origin) else { return };
    let node = setup.start();
    let kinds = [("sql_injection", SQLI), ("xss", XSS), ("path_traversal", LFI), ("command_injection", RCE)];
    let cases = kinds.into_iter().flat_map(|(category, attack)| everywhere(category, attack));
    let mut count = 0;
    for Case { category, request, variable } in cases.chain(in_fields()) {
        let answer = node.ask(&request);
        let sent = String::from_utf8_lossy(&request);
        assert_eq!(answer.status, 403, "{sent}");
        let event = node.event_of(&answer);
        assert_eq!(
            (&event["event"], &event["blocked"]),
            (&json!("attack_detected"), &json!(true)),
            "{event}"
        );
        let found = matches(&event)
            .into_iter()
            .find(|found| found["category"] == category && found["variable"] == *variable)
            .unwrap_or_else(|| panic!("{category} in {variable}: {event:#}"));
        assert!(found["rule_id"].as_str().unwrap().starts_with('9'), "{found}");
        assert!(!found["name"].as_str().unwrap().is_empty() && found["matched"] != "", "{found}");
        // What was found comes first, and the rule that added it up with it.
        assert_eq!(event["rule_id"], event["matches"][0]["rule_id"], "{event}");
        assert_ne!(event["rule_id"], "949110", "{event}");
        assert!(matches(&event).iter().any(|found| found["rule_id"] == "949110"), "{event}");
        let scores = &event["scores"];
        assert_eq!(scores["inbound_threshold"], 5, "{event}");
        assert!(scores["inbound"].as_i64().unwrap() >= 5, "{event}");
        count += 1;
    }
    assert!(origin.is_untouched());
    assert_eq!(node.metric("secbeat_requests_total{method=\"GET\",status=\"403\"") as usize, 12);
    assert_eq!(node.metric("secbeat_attacks_blocked_total") as usize, count);
}

#[test]
fn people_are_not_stopped_and_what_they_send_arrives_as_it_was() {
    let origin = Origin::echo();
    let Some(setup) = setup(&origin) else { return };
    let node = setup.start();
    let picture: Vec<u8> = [&b"\x89PNG\r\n\x1a\n"[..], &(0..=255).collect::<Vec<u8>>()].concat();
    let upload = [
        &b"--b0\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nMy cat & me\r\n--b0\r\nContent-Disposition: \
           form-data; name=\"picture\"; filename=\"cat.png\"\r\nContent-Type: image/png\r\n\r\n"[..],
        &picture,
        b"\r\n--b0--\r\n",
    ]
    .concat();
    let form = "name=Jane+Doe&email=jane%40example.com&comment=Nice+page%21+I+like+the+union+of+old+and+new.";
    let order = json!({"items": [{"id": 17, "text": "1 x 2 m, white"}], "note": "Please ring twice."});
    for request in [
        get("/", ""),
        get(
            "/search?q=union+station+hotel&page=2&sort=price",
            "Referer: https://www.example.com/?q=hotels\r\n",
        ),
        get("/static/app.9f3a.js?v=1.2.3", "If-None-Match: \"abc-1\"\r\n"),
        get("/account", "Cookie: session=0123456789abcdef; theme=dark; _ga=GA1.2.1234567890.1700000000\r\n"),
        post("application/x-www-form-urlencoded", form),
        post("application/x-www-form-urlencoded; charset=utf-8", form),
        post("application/json", order.to_string()),
        post("application/xml", "<order n=\"1\"><name>Jane</name></order>"),
        post("multipart/form-data; boundary=b0", &upload),
    ] {
        let sent = String::from_utf8_lossy(&request).into_owned();
        let answer = node.ask(&request);
        assert_eq!(answer.status, 200, "{sent}: {:#?}", node.events("attack"));
        let body = request.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        assert_eq!(answer.message.body, request[body..], "{sent}");
    }
    assert_eq!(node.events("attack"), Vec::<Value>::new());
}

#[test]
fn what_was_stopped_by_mistake_is_explained_excepted_and_goes_through() {
    let origin = Origin::echo();
    let Some(setup) = setup(&origin) else { return };
    let node = setup.start();
    let lesson = |field: &str| {
        let body = format!("title=Lesson&{field}={}", encoded(SQLI));
        post("application/x-www-form-urlencoded", body)
    };
    let stopped = node.ask(lesson("content"));
    assert_eq!(stopped.status, 403);
    let told = node.explained(&stopped);
    let step = told["trace"].as_array().unwrap().last().unwrap();
    assert_eq!((&step["stage"], &step["verdict"]), (&json!("firewall_body"), &json!("stop")), "{told}");
    let rules = rules_in(&told["event"], "ARGS:content");
    assert!(rules.contains(&"942100"), "{told}");

    let exception =
        json!({"id": "lessons", "rules": rules, "parameters": ["ARGS:content"], "paths": ["/comments"]});
    node.done("/api/v1/waf/exceptions", &json!({ "exceptions": [exception] }).to_string());
    let passed = node.ask(lesson("content"));
    assert_eq!(passed.status, 200, "{:#}", node.event_of(&passed));
    let hits = &node.told("/api/v1/waf/exceptions")["exceptions"][0]["hits"];
    assert_eq!(*hits, json!(rules.len()), "each rule in that parameter, once");
    // Other parameters, other attacks and other paths are as before.
    assert_eq!(status(&node, lesson("text")), 403);
    let script = format!("content={}", encoded(XSS));
    assert_eq!(status(&node, post("application/x-www-form-urlencoded", script)), 403);
    assert_eq!(status(&node, get(&format!("/search?content={}", encoded(SQLI)), "")), 403);

    assert_eq!(node.call("DELETE", "/api/v1/waf/exceptions/lessons", "").status, 200);
    assert_eq!(status(&node, lesson("content")), 403);
}

#[test]
fn a_site_switches_a_rule_off_or_only_watches_and_so_does_the_kill_switch() {
    let origin = Origin::echo();
    let Some(setup) = setup(&origin) else { return };
    let node = setup
        .tables("[[sites]]\nhosts = [\"off.test\"]\nrules_disabled = [\"913100\"]")
        .tables("[[sites]]\nhosts = [\"watched.test\"]\nwaf_mode = \"monitor\"")
        .start();
    let scan = |host: &str| -> Answer {
        node.ask(format!(
            "GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Mozilla/5.00 (Nikto/2.1.6)\r\nAccept: */*\r\n\r\n"
        ))
    };
    let statuses = || ["shop.test", "off.test", "watched.test"].map(|host| scan(host).status);
    assert_eq!(statuses(), [403, 200, 200]);
    let watched = node.event_of(&scan("watched.test"));
    assert_eq!((&watched["blocked"], &watched["rule_id"]), (&json!(false), &json!("913100")), "{watched}");
    assert!(matches(&watched).iter().all(|found| found["action"] == "log"), "{watched}");
    for (mode, is_told) in [("monitor", true), ("off", false)] {
        node.done("/api/v1/panic", &json!({ "mode": mode }).to_string());
        let passed = scan("shop.test");
        assert_eq!(passed.status, 200, "{mode}");
        let told = node.explained(&passed);
        assert_eq!(told["event"].is_null(), !is_told, "{mode}: {told}");
    }
    node.done("/api/v1/panic", r#"{"mode":"normal"}"#);
    assert_eq!(statuses(), [403, 200, 200]);
    // A rule that is not there cannot be switched off.
    let mut node = node;
    node.setup.put_tables("[[sites]]\nhosts = [\"c.test\"]\nrules_disabled = [\"913999\"]");
    node.setup.write();
    let answer = node.post("/api/v1/reload", "");
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("913999"), "{}", answer.text());
}
