//! Rules of one's own in SecLang: they say how a client is answered, remember clients, are read whole or not at all, and what they
//! find is written down without what is secret.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Node, Origin, Setup, eventually, until};
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};

fn setup(origin: &Origin, rules: &str) -> Setup {
    Setup::before(origin).rules(r#"{"rules":[]}"#).secrules("own.conf", rules)
}

/// What a client of this address is answered.
fn ask_from(node: &Node, client: &str, path: &str) -> u16 {
    node.ask(format!("GET {path} HTTP/1.1\r\nHost: site.test\r\nX-Forwarded-For: {client}\r\n\r\n")).status
}

/// The line of the audit log about what was asked for with this target, once it is there.
fn audit_line(node: &Node, target: &str) -> Value {
    let find = || {
        let text = fs::read_to_string(node.setup.path("logs/audit.log")).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.into_iter().find(|line| line["target"].as_str().unwrap().starts_with(target))
    };
    until(&format!("{target} in the audit log"), find)
}

#[test]
fn a_rule_says_how_the_client_is_answered() {
    let origin = Origin::scripted(|conversation| {
        loop {
            let request = conversation.request()?;
            let status = if request.start.contains("/made") { "201 Created" } else { "200 OK" };
            conversation.send(format!("HTTP/1.1 {status}\r\nX-Mood: bad\r\nContent-Length: 0\r\n\r\n"))?;
        }
    });
    let node = setup(
        &origin,
        r#"
SecDefaultAction "phase:2,log,auditlog,deny,status:503"
SecRule ARGS:q "@streq hide" "id:1,phase:1,deny,status:404"
SecRule ARGS:q "@streq away" "id:2,phase:1,redirect:'https://elsewhere.test/?to=%{ARGS.to}'"
SecRule ARGS:q "@streq moved" "id:3,phase:1,redirect:/new,status:301"
SecRule ARGS:q "@streq drop" "id:4,phase:1,drop,msg:'Dropped'"
SecRule ARGS:q "@streq block" "id:5,phase:2,block"
SecRule ARGS:q "@streq empty" "id:6,phase:1,deny,status:204"
SecRule ARGS_POST:q "@streq pay" "id:7,phase:2,deny,status:402"
SecRule REQUEST_FILENAME "@streq /leak" "id:8,phase:3,deny,status:500,chain"
    SecRule RESPONSE_HEADERS:X-Mood "@streq bad"
SecRule RESPONSE_STATUS "@streq 201" "id:9,phase:4,redirect:/ready,status:303"
SecRule ARGS:q "@streq plain" "id:10,phase:1,deny"
"#,
    )
    .start();
    for (target, status, location) in [
        ("/?q=fine", 200, None),
        ("/?q=plain", 403, None),
        ("/?q=hide", 404, None),
        ("/?q=away&to=a", 302, Some("https://elsewhere.test/?to=a")),
        (
            "/?q=away&to=%0d%0aSet-Cookie:%20a=b",
            302,
            Some("https://elsewhere.test/?to=%0D%0ASet-Cookie:%20a=b"),
        ),
        ("/?q=moved", 301, Some("/new")),
        ("/?q=block", 503, None),
        ("/?q=empty", 204, None),
        ("/leak", 500, None),
        ("/made", 303, Some("/ready")),
    ] {
        let mut client = node.client();
        let answer = client.get(target);
        assert_eq!((answer.status, answer.field("location")), (status, location), "{target}");
        assert_eq!(answer.field("set-cookie"), None, "{target}");
        // The connection carries the next request.
        assert_eq!(client.get("/?q=fine").status, 200, "behind {target}");
        if target != "/?q=fine" {
            let event = node.event_of(&answer);
            assert_eq!((&event["status"], &event["blocked"]), (&json!(status), &json!(true)), "{event}");
        }
    }
    let paid = node.ask(secbeat_tests::request(
        "POST /",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "a=b&q=pay",
    ));
    assert_eq!(paid.status, 402);
    let mut dropped = node.client();
    dropped.send("GET /?q=drop HTTP/1.1\r\nHost: site.test\r\n\r\n");
    assert!(dropped.is_closed(), "closed, and no answer");
    let event = until("the event of the dropped request", || {
        node.events("attack").into_iter().find(|event| event["rule_id"] == "4")
    });
    assert_eq!((&event["status"], &event["blocked"]), (&json!(444), &json!(true)), "{event}");
    assert_eq!(node.metric("secbeat_requests_total{method=\"GET\",status=\"404\""), 1.0);
}

#[test]
fn a_client_is_remembered_until_its_time_is_over_and_over_a_reload() {
    const KEPT: Duration = Duration::from_secs(4);
    let origin = Origin::echo();
    let node = setup(
        &origin,
        r#"
SecAction "id:1,phase:1,nolog,pass,initcol:ip=%{REMOTE_ADDR}"
SecRule IP:tries "@ge 3" "id:2,phase:1,log,deny,status:429,msg:'Too many tries'"
SecRule REQUEST_FILENAME "@streq /login" "id:3,phase:2,nolog,pass,setvar:ip.tries=+1,expirevar:ip.tries=4"
"#,
    )
    .set("server.trusted_proxies", "[\"127.0.0.0/8\"]")
    .start();
    for _ in 0..2 {
        assert_eq!(ask_from(&node, "192.0.2.1", "/login"), 200);
    }
    let last = Instant::now();
    assert_eq!(ask_from(&node, "192.0.2.1", "/login"), 200);
    let mut refused = 0;
    eventually("the end of what is remembered", || {
        node.reload();
        let status = ask_from(&node, "192.0.2.1", "/");
        assert!(status == 429 || last.elapsed() >= KEPT, "forgotten before its time: {status}");
        refused += u32::from(status == 429);
        assert_eq!(ask_from(&node, "192.0.2.2", "/"), 200, "another client");
        status == 200
    });
    assert!(refused > 0);
}

#[test]
fn one_bad_rule_names_its_file_and_line_and_changes_nothing() {
    const GOOD: &str = "# Ours\nSecRule ARGS \"@contains mark\" \"id:1,phase:1,log,deny\"\n";
    let origin = Origin::echo();
    let bad = [
        ("SecRule ARGS \"@rx (unclosed\" \"id:2,deny\"", 3, "not closed"),
        ("SecRule ARGZ \"@rx a\" \"id:2,deny\"", 3, "ARGZ"),
        ("SecRule ARGS \"@regex a\" \"id:2,deny\"", 3, "regex"),
        ("SecRule ARGS \"@rx a\" \"id:2,denied\"", 3, "denied"),
        ("SecRule ARGS \"@rx a\" \"id:2,deny,t:upside\"", 3, "upside"),
        ("SecRule ARGS \"@rx a\" \"deny\"", 3, "id"),
        ("\n\nSecRule ARGS \"@rx a\" \"id:1,deny\"", 5, "1"),
        ("SecNonsense On", 3, "SecNonsense"),
        ("Include nowhere-*.conf", 3, "nowhere"),
        ("SecRule ARGS \"@rx a\" \"id:2,deny,skipAfter:NOWHERE\"", 3, "NOWHERE"),
    ];
    let node = setup(&origin, GOOD).start();
    let own = node.setup.path("own.conf");
    for (rule, line, says) in bad {
        fs::write(&own, format!("{GOOD}{rule}\n")).unwrap();
        let answer = node.post("/api/v1/reload", "");
        assert_eq!(answer.status, 422, "{rule}: {}", answer.text());
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(&format!("own.conf:{line}")), "{rule}: {message}");
        assert!(message.contains(says), "{rule}: {message}");
        assert_eq!(node.told("/api/v1/status")["generation"], 1);
        assert_eq!((node.get("/?q=mark").status, node.get("/?q=a").status), (403, 200), "the old rules");
    }
    // Two that are bad are both named.
    fs::write(&own, format!("{GOOD}{}\n{}\n", bad[0].0, bad[1].0)).unwrap();
    let message = node.post("/api/v1/reload", "").text();
    assert!(message.contains("own.conf:3") && message.contains("own.conf:4"), "{message}");
    fs::write(&own, GOOD.replace("mark", "other")).unwrap();
    assert_eq!(node.reload()["generation"], 2);
    assert_eq!((node.get("/?q=mark").status, node.get("/?q=other").status), (200, 403));

    let output = Node::run_to_end(&setup(&origin, &format!("{GOOD}{}\n", bad[0].0)));
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("own.conf:3"), "{error}");
}

#[test]
fn files_are_read_by_patterns_in_order_and_one_that_is_missing_is_named() {
    let origin = Origin::echo();
    let mut node = setup(&origin, "SecAction \"id:1,phase:1,nolog,pass,setvar:tx.said=%{tx.said}0\"").start();
    fs::create_dir(node.setup.path("rules")).unwrap();
    for (name, id) in [("b.conf", 3), ("a.conf", 2), ("c.txt", 4)] {
        let digit = name.chars().next().unwrap();
        let text = format!("SecAction \"id:{id},phase:1,nolog,pass,setvar:tx.said=%{{tx.said}}{digit}\"\n");
        fs::write(node.setup.path("rules").join(name), text).unwrap();
    }
    let last = "SecRule TX:said \"@streq 0ab\" \"id:9,phase:1,log,deny\"";
    fs::write(node.setup.path("last.conf"), last).unwrap();
    node.configure("waf.include", "[\"own.conf\", \"rules/*.conf\", \"last.conf\"]");
    node.reload();
    assert_eq!(node.get("/").status, 403);
    node.configure("waf.include", "[\"own.conf\", \"last.conf\"]");
    assert!(node.reload()["changed"].to_string().contains("waf.include"));
    assert_eq!(node.get("/").status, 200);
    node.configure("waf.include", "[\"own.conf\", \"lost.conf\"]");
    let answer = node.post("/api/v1/reload", "");
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("lost.conf"), "{}", answer.text());
}

#[test]
fn what_rules_find_is_in_the_audit_log_without_what_is_secret() {
    let origin = Origin::echo();
    let rules = r#"
SecRule ARGS "@contains mark" "id:1,phase:2,log,auditlog,deny,msg:'Found it',logdata:'in %{MATCHED_VAR_NAME}: %{MATCHED_VAR}',severity:2,tag:'attack-xss',ver:'mine/1'"
SecRule ARGS:quiet "@contains seen" "id:2,phase:1,nolog,auditlog,pass,msg:'Seen'"
SecRule ARGS:off "@streq 1" "id:3,phase:1,nolog,pass,ctl:auditEngine=Off"
"#;
    let mut node =
        setup(&origin, rules).set("audit_log.enable", true).text("audit_log.file", "logs/audit.log").start();
    let ask = |node: &Node, target: &str| {
        node.ask(format!(
            "GET {target} HTTP/1.1\r\nHost: site.test\r\nCookie: session=s3cr3t\r\nAuthorization: Bearer s3cr3t\r\n\r\n"
        ))
        .status
    };
    assert_eq!(ask(&node, "/unaudited?off=1&a=mark"), 403);
    assert_eq!(ask(&node, "/nothing"), 200);
    assert_eq!(ask(&node, "/a?b=mark&password=s3cr3t"), 403);
    let line = audit_line(&node, "/a?");
    assert_eq!((&line["status"], &line["action"]), (&json!(403), &json!("stopped")), "{line}");
    let message = &line["messages"][0];
    for (name, value) in [
        ("rule_id", json!("1")),
        ("message", json!("Found it")),
        ("category", json!("xss")),
        ("severity", json!("critical")),
        ("variable", json!("ARGS:b")),
        ("data", json!("in ARGS:b: mark")),
        ("line", json!(2)),
        ("phase", json!(2)),
        ("version", json!("mine/1")),
        ("tags", json!(["attack-xss"])),
    ] {
        assert_eq!(message[name], value, "{name}: {line}");
    }
    assert!(message["file"].as_str().unwrap().ends_with("own.conf"), "{line}");
    // What is nowhere else is here: no event tells of it.
    assert_eq!(ask(&node, "/quiet?quiet=seen"), 200);
    let line = audit_line(&node, "/quiet");
    assert_eq!((&line["status"], &line["messages"][0]["rule_id"]), (&json!(200), &json!("2")), "{line}");
    // Of a secret parameter not even what matched.
    assert_eq!(ask(&node, "/secret?password=s3cr3tmark"), 403);
    let line = audit_line(&node, "/secret");
    assert_eq!(line["messages"][0]["rule_id"], "1", "{line}");
    let log = fs::read_to_string(node.setup.path("logs/audit.log")).unwrap();
    assert!(!log.contains("s3cr3t"), "{log}");
    assert!(!log.contains("/unaudited") && !log.contains("/nothing"), "{log}");
    assert!(!serde_json::to_string(&node.events("")).unwrap().contains("s3cr3tmark\",\"matched"));

    node.configure("audit_log.file", "\"logs/second.log\"");
    node.reload();
    assert_eq!(ask(&node, "/b?b=mark"), 403);
    eventually("the line in the second file", || {
        fs::read_to_string(node.setup.path("logs/second.log")).unwrap_or_default().contains("/b?b=mark")
    });
    node.configure("audit_log.enable", false);
    node.reload();
    assert_eq!(ask(&node, "/c?b=mark"), 403);
    node.configure("audit_log.enable", true);
    node.reload();
    assert_eq!(ask(&node, "/d?b=mark"), 403);
    eventually("the line after it was on again", || {
        fs::read_to_string(node.setup.path("logs/second.log")).unwrap_or_default().contains("/d?b=mark")
    });
    assert!(!fs::read_to_string(node.setup.path("logs/second.log")).unwrap().contains("/c?b=mark"));
}

#[test]
fn work_beyond_the_budget_is_stopped_or_goes_on_and_is_told() {
    let origin = Origin::echo();
    let rules = "SecRule ARGS \"@rx ^(?:a|aa)+$\" \"id:1,phase:2,log,deny,t:none,t:lowercase,t:removeNulls\"\n\
                 SecRule ARGS \"@contains mark\" \"id:2,phase:2,log,deny\"\n";
    let mut node = setup(&origin, rules).start();
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let costly = secbeat_tests::request("POST /", form, format!("a={}!&b=mark", "A".repeat(100_000)));
    assert_eq!(node.event_of(&node.ask(&costly))["rule_id"], "2");
    node.configure("waf.work_budget", 10_000);
    node.reload();
    let stopped = node.ask(&costly);
    assert_eq!(stopped.status, 403);
    let event = node.event_of(&stopped);
    assert_eq!((&event["rule_id"], &event["blocked"]), (&json!("secbeat-work-budget"), &json!(true)));
    assert_eq!(node.metric("secbeat_waf_budget_exhausted_total"), 1.0);
    assert_eq!(node.get("/?b=mark").status, 403, "what is cheap is looked at whole");

    node.configure("waf.on_budget", "\"pass\"");
    node.reload();
    let passed = node.ask(&costly);
    assert_eq!(passed.status, 200);
    let event = node.event_of(&passed);
    assert_eq!((&event["rule_id"], &event["blocked"]), (&json!("secbeat-work-budget"), &json!(false)));
    let of_it = node.events("").into_iter().filter(|other| other["request_id"] == event["request_id"]);
    assert_eq!(of_it.count(), 1, "told once");
    assert_eq!(node.metric("secbeat_waf_budget_exhausted_total"), 2.0);
}
