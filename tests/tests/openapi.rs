//! The API and its description say the same: by every call with everything that can be wrong about it, and by schemathesis.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::netns::Namespace;
use secbeat_tests::openapi::{Call, calls, named};
use secbeat_tests::{Answer, Client, Node, Origin, Setup, eventually, programs};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

/// The longest body that is read, in bytes.
const BODY_BYTES_MAX: usize = 8 << 20;
/// How deep the deepest body is.
const DEPTH: usize = 100_000;

/// What the contract allows: no fault of the node's, and every refusal in the form of errors. Gives the status.
#[track_caller]
fn is_in_form(answer: &Answer, what: &str) -> u16 {
    assert!(answer.status < 500 || answer.status == 507, "{what}: {}: {}", answer.status, answer.text());
    if answer.status >= 400 {
        let error = &answer.json()["error"];
        assert!(error["code"].is_string(), "{what}: {error}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{what}: {error}");
    }
    answer.status
}

/// A node that does not tell of each of thousands of calls.
fn quiet(origin: &Origin) -> Node {
    Setup::before(origin).text("logging.level", "error").start()
}

/// The calls that end: one is a stream.
fn finite() -> Vec<Call> {
    calls().into_iter().filter(|call| !call.path.ends_with("/stream")).collect()
}

#[test]
fn every_call_of_the_document_is_there_and_other_methods_are_refused_by_name() {
    let origin = Origin::echo();
    let node = quiet(&origin);
    let all = calls();
    for path in all.iter().map(|call| &call.path) {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let call = all.iter().find(|call| call.path == *path && call.method == method);
            // What cannot be read is refused by the call itself, and so it is there.
            let url = format!("{}?type=nothing", named(path));
            let answer = node.call(method, &url, "{");
            match call {
                None => {
                    assert_eq!(is_in_form(&answer, &format!("{method} {path}")), 405, "{method} {path}");
                    let allowed = answer.field("allow").unwrap().to_owned();
                    let there = all.iter().filter(|call| call.path == *path);
                    assert!(there.into_iter().all(|call| allowed.contains(call.method)), "{path}: {allowed}");
                }
                Some(_) => {
                    let there = match answer.status {
                        404 => !answer.text().contains("no such call"),
                        status => status != 405,
                    };
                    assert!(there, "{method} {path}: {}", answer.text());
                }
            }
        }
    }
}

#[test]
fn the_document_is_served_as_it_is_committed() {
    let origin = Origin::echo();
    let node = quiet(&origin);
    let answer = node.call("GET", "/api/openapi.json", "");
    assert_eq!((answer.status, answer.field("content-type")), (200, Some("application/json")));
    assert_eq!(answer.json(), secbeat_tests::openapi::document());
}

#[test]
fn a_body_that_is_no_object_or_has_an_unknown_key_is_refused() {
    let origin = Origin::echo();
    let node = quiet(&origin);
    let deep = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let deep_object = format!("{}1{}", r#"{"ip":"#.repeat(DEPTH), "}".repeat(DEPTH));
    for call in finite().iter().filter(|call| call.body.is_some()) {
        let mut unknown = call.example.clone().unwrap();
        unknown["a key that nobody knows"] = json!(1);
        let bodies = [
            "",
            "{",
            "[]",
            "null",
            "4",
            "\"x\"",
            "{}",
            "a=b",
            "\u{0}",
            &deep,
            &deep_object,
            &unknown.to_string(),
        ];
        for body in bodies {
            let answer = node.call(call.method, &named(&call.path), body);
            let what = format!("{} {} {}", call.method, call.path, &body[..body.len().min(200)]);
            assert!(matches!(is_in_form(&answer, &what), 400 | 422), "{what}: {}", answer.status);
        }
    }
}

#[test]
fn a_body_that_is_too_long_is_refused_before_it_is_all_there() {
    let origin = Origin::echo();
    let node = quiet(&origin);
    for call in finite().iter().filter(|call| call.body.is_some()) {
        let mut client = Client::connect(node.setup.api);
        let head = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n",
            call.method,
            named(&call.path),
            node.setup.api,
            9 << 20
        );
        client.send(head).send(vec![b' '; BODY_BYTES_MAX + 1]);
        let answer = client.answer_to(call.method);
        assert_eq!(is_in_form(&answer, &call.path), 413, "{} {}", call.method, call.path);
    }
}

#[test]
fn every_value_of_a_body_may_be_of_any_wrong_type() {
    let origin = Origin::echo();
    let node = quiet(&origin);
    let long = "x".repeat(100_000);
    let wrong = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("\u{0}"),
        json!("\u{202e}"),
        json!(long),
        json!([]),
        json!([[]]),
        json!([null]),
        json!({}),
        json!({ "a": {} }),
    ];
    for call in finite().iter().filter(|call| call.body.is_some()) {
        let example = call.example.clone().unwrap();
        for at in places(&example, String::new()) {
            for value in &wrong {
                let mut body = example.clone();
                *body.pointer_mut(&at).unwrap() = value.clone();
                let what = format!(
                    "{} {}: {at} = {}",
                    call.method,
                    call.path,
                    &value.to_string().chars().take(40).collect::<String>()
                );
                is_in_form(&node.call(call.method, &named(&call.path), &body.to_string()), &what);
            }
        }
    }
}

/// Every place in a value, as JSON pointers (RFC 6901).
fn places(value: &Value, at: String) -> Vec<String> {
    let inner: Vec<String> = match value {
        Value::Object(map) => {
            map.iter().flat_map(|(key, value)| places(value, format!("{at}/{key}"))).collect()
        }
        Value::Array(list) => list
            .iter()
            .enumerate()
            .flat_map(|(index, value)| places(value, format!("{at}/{index}")))
            .collect(),
        _ => Vec::new(),
    };
    [vec![at], inner].concat()
}

#[test]
fn every_parameter_may_be_anything() {
    let origin = Origin::echo();
    let node = quiet(&origin);
    let long = "9".repeat(8000);
    let wrong = [
        "",
        "%ff",
        "%00",
        "-1",
        "0",
        "18446744073709551616",
        "1e9",
        "%7B%7D",
        "nobody",
        "::1%25lo",
        long.as_str(),
    ];
    for call in finite() {
        for value in wrong {
            for name in &call.query {
                let url = format!("{}?{name}={value}", named(&call.path));
                is_in_form(&node.call(call.method, &url, "{}"), &format!("{} {name}={value}", call.path));
            }
            if let Some((before, rest)) = call.path.split_once('{') {
                let after = rest.split_once('}').unwrap().1;
                let url = format!("{before}{value}{after}");
                let status = is_in_form(&node.call(call.method, &url, ""), &format!("{} {url}", call.method));
                assert!((400..500).contains(&status), "{url}: {status}");
            }
        }
        if !call.query.is_empty() {
            let url = format!("{}?a_parameter_that_nobody_knows=1", named(&call.path));
            assert_eq!(is_in_form(&node.call(call.method, &url, "{}"), &url), 422, "{url}");
            let url = format!("{}?{name}=1&{name}=1", named(&call.path), name = call.query[0]);
            is_in_form(&node.call(call.method, &url, "{}"), &url);
        }
    }
}

#[test]
fn a_page_of_somebody_else_can_make_no_call() {
    let origin = Origin::echo();
    let node = quiet(&origin);
    let api = node.setup.api;
    for call in calls().iter().filter(|call| !call.is_open) {
        let body = call.example.as_ref().map(Value::to_string).unwrap_or_default();
        for fields in [
            format!("Host: {api}\r\nOrigin: https://evil.test\r\n"),
            format!("Host: {api}\r\nOrigin: null\r\n"),
            format!("Host: evil.test:{}\r\n", api.port()),
        ] {
            let answer = node.call_with(call.method, &named(&call.path), &fields, &body);
            assert_eq!(is_in_form(&answer, &call.path), 403, "{} {} {fields}", call.method, call.path);
        }
    }
    assert_eq!(node.call("GET", "/api/v1/blocked-ips", "").json()["blocked_ips"], json!([]));
}

#[test]
fn from_elsewhere_each_call_asks_for_the_token_that_it_needs() {
    let Some(namespace) = Namespace::new() else { return };
    // A second address of the machine: to a peer from it, we are elsewhere.
    assert!(namespace.ip(&["addr", "add", "192.0.2.10/32", "dev", "lo"]));
    let origin = Origin::echo();
    let (all, viewer) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
    for is_configured in [false, true] {
        let mut setup = Setup::before(&origin)
            .wrapped_in(&namespace.wrapper())
            .text("metrics.bind_address", "0.0.0.0:9191")
            .text("server.bind_address", "0.0.0.0:8443");
        if is_configured {
            setup = setup.text("metrics.api_token", all).text("metrics.viewer_token", viewer);
        }
        setup.write();
        let mut command = secbeat_tests::node::command(&setup);
        let log = std::fs::File::create(setup.path("stderr.log")).unwrap();
        let mut node = command.arg("--stop-with-parent").stdin(Stdio::piped()).stderr(log).spawn().unwrap();
        namespace.inside(|| {
            let api: SocketAddr = "192.0.2.10:9191".parse().unwrap();
            eventually("the node", || std::net::TcpStream::connect(api).is_ok());
            for call in finite() {
                if call.is_open {
                    assert!(ask(api, &call, None).status < 400, "{} is for everybody", call.path);
                    continue;
                }
                let status =
                    |token| is_in_form(&ask(api, &call, token), &format!("{} {}", call.method, call.path));
                let what = format!("{} {}", call.method, call.path);
                if !is_configured {
                    let answer = ask(api, &call, Some(all));
                    assert_eq!((answer.status, is_code(&answer, "not_found")), (404, true), "{what}");
                    continue;
                }
                assert_eq!((status(None), status(Some("wrong"))), (401, 401), "{what}");
                let answer = ask(api, &call, Some(viewer));
                match call.method {
                    "GET" => assert!(!matches!(answer.status, 401 | 403), "{what}: {}", answer.text()),
                    _ => assert_eq!((answer.status, is_code(&answer, "forbidden")), (403, true), "{what}"),
                }
                // An empty body: nothing is to happen but that the call is made.
                assert!(!matches!(status(Some(all)), 401 | 403), "{what}");
            }
        });
        drop(node.stdin.take());
        node.wait().unwrap();
    }
}

fn ask(api: SocketAddr, call: &Call, token: Option<&str>) -> Answer {
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    Client::connect(api).ask(format!(
        "{} {} HTTP/1.1\r\nHost: {api}\r\n{token}Content-Length: 0\r\nConnection: close\r\n\r\n",
        call.method,
        named(&call.path)
    ))
}

fn is_code(answer: &Answer, code: &str) -> bool {
    answer.json()["error"]["code"] == code
}

#[test]
fn schemathesis_finds_no_difference_between_the_api_and_its_document() {
    let Some(program) = programs::schemathesis() else {
        println!("skipped: no schemathesis; `make test` installs it where there is pip");
        return;
    };
    let origin = Origin::echo();
    let node = quiet(&origin);
    // Something for each list to hold.
    node.block("192.0.2.1");
    node.get("/?id=1%20union%20select%20password%20from%20users");
    let checks = [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "unsupported_method",
        "allow_header_conformance",
    ];
    let output = Command::new(program)
        .arg("run")
        .arg(format!("http://{}/api/openapi.json", node.setup.api))
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "30", "--generation-deterministic"])
        .args(["--checks", &checks.join(","), "--continue-on-failure", "--no-color"])
        // The stream has no end; what it sends is looked at where it is tested.
        .args(["--exclude-path", "/api/v1/events/stream"])
        .current_dir(node.setup.dir.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(node.call("GET", "/readyz", "").status, 200);
}
