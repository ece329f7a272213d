//! What `[[sites]]` says of a host acts for that host, and for no other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Answer, Node, Origin, Setup};
use std::fs;

/// A host that no site names.
const ELSEWHERE: &str = "other.test";
const HERE: &str = "site.test";

const ATTACK: &str = "%3Cscript%3Ealert(1)%3C/script%3E";

fn get(node: &Node, host: &str, target: &str) -> Answer {
    node.ask(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n\r\n"))
}

fn post(node: &Node, host: &str, fields: &str, body: &str) -> Answer {
    let length = body.len();
    node.ask(format!("POST / HTTP/1.1\r\nHost: {host}\r\n{fields}Content-Length: {length}\r\n\r\n{body}"))
}

fn status(answer: &Answer) -> String {
    answer.status.to_string()
}

fn attack(node: &Node, host: &str) -> String {
    status(&get(node, host, &format!("/?q={ATTACK}")))
}

fn rules(id: &str, pattern: &str) -> String {
    format!(
        r#"{{"rules":[{{"id":"{id}","name":"Mark","pattern":"{pattern}","action":"block","severity":"high"}}]}}"#
    )
}

fn setup(origin: &Origin) -> Setup {
    let setup = Setup::before(origin).rules(&rules("script", "<script"));
    fs::write(setup.path("other.json"), rules("mark", "mark")).unwrap();
    fs::write(setup.path("page.html"), "<p>Our own page: {status}, {request_id}").unwrap();
    fs::write(setup.path("page.json"), r#"{"ours":{status},"id":"{request_id}"}"#).unwrap();
    setup
}

/// What is seen of a key from outside, by who asks for a host.
type Seen = fn(&Node, &str) -> String;

/// Each key of a site, with its value, what is looked at, and what is seen for other hosts and for its own.
const KEYS: &[(&str, Seen, &str, &str)] = &[
    ("waf_mode = \"monitor\"", attack, "403", "200"),
    ("waf_mode = \"off\"", attack, "403", "200"),
    ("rules_path = \"other.json\"", |node, host| status(&get(node, host, "/?q=mark")), "200", "403"),
    ("rules_path = \"other.json\"", attack, "403", "200"),
    ("rules_disabled = [\"script\"]", attack, "403", "200"),
    (
        "rate_limit_rps = 1",
        |node, host| (0..10).map(|_| status(&get(node, host, "/"))).max().unwrap(),
        "200",
        "429",
    ),
    (
        "body_bytes_max = 10",
        |node, host| status(&post(node, host, "Content-Type: video/mp4\r\n", "eleven byte")),
        "200",
        "413",
    ),
    (
        "inspect_body_limit = 1024",
        |node, host| {
            let body = format!("a={}{ATTACK}", "a".repeat(100_000));
            status(&post(node, host, "Content-Type: application/x-www-form-urlencoded\r\n", &body))
        },
        "403",
        "200",
    ),
    ("methods = [\"GET\"]", |node, host| status(&post(node, host, "", "")), "200", "405"),
    (
        "csrf = true",
        |node, host| status(&post(node, host, "Origin: https://evil.test\r\n", "")),
        "200",
        "403",
    ),
    (
        "error_page_html = \"page.html\"",
        |node, host| {
            get(node, host, &format!("/?q={ATTACK}")).text().starts_with("<p>Our own page: 403, ").to_string()
        },
        "false",
        "true",
    ),
    (
        "error_page_json = \"page.json\"",
        |node, host| {
            let target = format!("/?q={ATTACK}");
            let request =
                format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n\r\n");
            node.ask(request).json()["ours"].to_string()
        },
        "null",
        "403",
    ),
];

#[test]
fn each_key_of_a_site_acts_for_its_hosts_alone() {
    let origin = Origin::echo();
    for (line, seen, elsewhere, here) in KEYS {
        let node = setup(&origin).tables(&format!("[[sites]]\nhosts = [\"{HERE}\"]\n{line}")).start();
        assert_eq!(seen(&node, ELSEWHERE), *elsewhere, "{line}, elsewhere");
        assert_eq!(seen(&node, HERE), *here, "{line}");
    }
}

#[test]
fn a_host_is_its_sites_in_every_spelling_and_the_closest_site_has_it() {
    let origin = Origin::echo();
    let node = setup(&origin)
        .tables("[[sites]]\nhosts = [\"*.test\"]\nmethods = [\"GET\", \"PUT\"]")
        .tables("[[sites]]\nhosts = [\"Shop.Test\", \"*.shop.test\"]\nmethods = [\"GET\", \"PATCH\"]")
        .start();
    let allowed = |host: &str| {
        let status = |method: &str| {
            node.ask(format!("{method} / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n")).status
        };
        ["POST", "PUT", "PATCH"].into_iter().filter(|method| status(method) == 200).collect::<Vec<_>>()
    };
    for host in ["shop.test", "SHOP.test", "shop.test:8443", "shop.test.", "a.shop.test", "a.b.Shop.test"] {
        assert_eq!(allowed(host), ["PATCH"], "{host}");
    }
    for host in ["other.test", "a.other.test", "xshop.test"] {
        assert_eq!(allowed(host), ["PUT"], "{host}");
    }
    for host in ["test", "shop.test.example"] {
        assert_eq!(allowed(host), ["POST", "PUT", "PATCH"], "{host}");
    }
}

#[test]
fn a_request_that_is_explained_names_its_site() {
    let origin = Origin::echo();
    let node = setup(&origin)
        .tables("[[sites]]\nhosts = [\"named.test\"]\nname = \"shop\"")
        .tables("[[sites]]\nhosts = [\"unnamed.test\", \"second.test\"]")
        .start();
    for (host, name) in
        [("named.test", "shop"), ("unnamed.test", "unnamed.test"), ("second.test", "unnamed.test")]
    {
        let answer = get(&node, host, &format!("/?q={ATTACK}"));
        let id = answer.field("x-request-id").unwrap().to_owned();
        let told = node.call("GET", &format!("/api/v1/explain?request_id={id}"), "").json();
        assert_eq!(told["site"], name, "{host}: {told}");
    }
}

#[test]
fn a_site_comes_changes_and_goes_by_a_reload() {
    let origin = Origin::echo();
    let node = setup(&origin).start();
    let reload = |waf_mode: &str| {
        node.setup.write();
        let table = format!("[[sites]]\nhosts = [\"{HERE}\"]\nwaf_mode = \"{waf_mode}\"\n");
        let file = fs::read_to_string(node.setup.config()).unwrap();
        fs::write(node.setup.config(), file + &table).unwrap();
        node.reload()["changed"].clone()
    };
    assert_eq!(attack(&node, HERE), "403");
    assert_eq!(reload("monitor"), serde_json::json!(["sites.site.test"]));
    assert_eq!((attack(&node, HERE), attack(&node, ELSEWHERE)), ("200".into(), "403".into()));
    assert_eq!(reload("block"), serde_json::json!(["sites.site.test.waf_mode"]));
    assert_eq!(attack(&node, HERE), "403");
    node.setup.write();
    assert_eq!(node.reload()["changed"], serde_json::json!(["sites.site.test"]));
}

#[test]
fn what_is_wrong_with_a_site_is_refused_with_its_place() {
    let origin = Origin::echo();
    for (table, says) in [
        ("hosts = [\"a.test\"]\nrules_disabled = [\"nowhere\"]", "sites.a.test.rules_disabled"),
        ("hosts = [\"a.test\"]\nrules_path = \"nowhere.json\"", "sites.a.test.rules_path"),
        ("hosts = [\"a.test\"]\nerror_page_html = \"nowhere.html\"", "sites.a.test.error_page_html"),
        ("hosts = []", "sites[0].hosts: expected at least one host"),
        ("hosts = [\"a.test\"]\n[[sites]]\nhosts = [\"A.test\"]", "sites[1].hosts: the host \"a.test\""),
    ] {
        let output = Node::run_to_end(&setup(&origin).tables(&format!("[[sites]]\n{table}")));
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{table}: {error}");
        assert!(error.contains(says), "{table}: {error}");
    }
}

#[test]
fn the_examples_of_the_reference_page_run() {
    let page = secbeat_settings::reference_markdown();
    let examples = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let origin = Origin::echo();
    let node = examples.fold(Setup::before(&origin), Setup::tables).start();
    let status = |method: &str| {
        let request = format!("{method} / HTTP/1.1\r\nHost: files.example\r\nContent-Length: 0\r\n\r\n");
        node.ask(request).status
    };
    assert_eq!((status("PUT"), status("POST")), (200, 405));
}
