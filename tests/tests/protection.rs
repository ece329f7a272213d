//! What a running node has denied itself, and that it works all the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Certificate, Node, Origin, Setup, eventually};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

fn rule(pattern: &str) -> String {
    format!(r#"{{"rules":[{{"id":"mark","pattern":"{pattern}","action":"block","severity":"high"}}]}}"#)
}

fn of_process(node: &Node, file: &str) -> String {
    fs::read_to_string(format!("/proc/{}/{file}", node.pid())).unwrap()
}

fn refusal(node: &Node) -> String {
    let answer = node.post("/api/v1/reload", "");
    assert_eq!(answer.status, 422, "{}", answer.text());
    answer.json()["error"]["message"].as_str().unwrap().to_owned()
}

/// Whether the node runs with all of its sandbox. Where the kernel of this machine lacks a part, the node says so.
fn is_whole(node: &Node) -> bool {
    let status = node.call("GET", "/api/v1/status", "").json();
    let lacks = status["degraded"].as_array().unwrap().iter().any(|part| part["key"] == "sandbox.enable");
    if lacks {
        eprintln!("skipped: the kernel lacks Landlock or seccomp");
    }
    !lacks
}

#[test]
fn every_thread_is_filtered_and_nothing_is_dumped() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let limits = of_process(&node, "limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    if !is_whole(&node) {
        return;
    }
    let mut threads = 0;
    for thread in fs::read_dir(format!("/proc/{}/task", node.pid())).unwrap() {
        let status = fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        assert!(status.contains("NoNewPrivs:\t1"), "{status}");
        assert!(status.contains("Seccomp:\t2"), "{status}");
        threads += 1;
    }
    assert!(threads >= 4, "two workers, the log's writer, and the first");
    assert_eq!(node.get("/").status, 200);
    assert!(node.metric("secbeat_memory_usage_bytes") > 0.0);
}

#[test]
fn a_reload_takes_new_rules_certificates_and_log_files_from_the_same_folders() {
    let origin = Origin::echo();
    let setup = Setup::before(&origin).rules(&rule("first")).tls().text("logging.file", "logs/node.log");
    let node = setup.start();
    assert_eq!(node.get("/?q=first").status, 403);
    // As an editor does it: a new file in the place of the old one.
    fs::write(node.setup.path("rules.json.new"), rule("second")).unwrap();
    fs::rename(node.setup.path("rules.json.new"), node.setup.path("rules.json")).unwrap();
    let new = Certificate::for_name("new.test");
    new.write(node.setup.dir.path());
    fs::rename(node.setup.path("logs/node.log"), node.setup.path("logs/node.log.1")).unwrap();
    node.reload();
    assert_eq!((node.get("/?q=first").status, node.get("/?q=second").status), (200, 403));
    assert_eq!(node.client().certificate(), new.der);
    let log = node.setup.path("logs/node.log");
    eventually("lines in the new log", || fs::read_to_string(&log).is_ok_and(|text| !text.is_empty()));
    node.block("192.0.2.9");
    let saved = fs::read_dir(node.setup.path("data")).unwrap().count();
    assert!(saved > 0, "decisions are kept");
}

#[test]
fn a_certificate_behind_a_link_is_renewed_as_certbot_does_it() {
    let origin = Origin::echo();
    let setup =
        Setup::before(&origin).text("tls.cert_path", "live/cert.pem").text("tls.key_path", "live/key.pem");
    let put = |root: &Path, number: usize| {
        let made = Certificate::for_name("site.test");
        let archive = root.join(format!("archive/{number}"));
        fs::create_dir_all(&archive).unwrap();
        made.write(&archive);
        for name in ["cert.pem", "key.pem"] {
            fs::rename(archive.join(name), root.join(format!("archive/{number}-{name}"))).unwrap();
            let link = root.join("live").join(name);
            let _ = fs::remove_file(&link);
            symlink(format!("../archive/{number}-{name}"), link).unwrap();
        }
        made
    };
    fs::create_dir(setup.path("live")).unwrap();
    put(setup.dir.path(), 1);
    let node = setup.start();
    let second = put(node.setup.dir.path(), 2);
    node.reload();
    assert_eq!(node.client().certificate(), second.der);
}

#[test]
fn a_reload_that_names_a_file_out_of_reach_says_so_and_what_to_do() {
    let origin = Origin::echo();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("rules.json"), rule("elsewhere")).unwrap();
    fs::write(elsewhere.path().join("token"), "0123456789abcdef0123456789abcdef").unwrap();
    let mut node = Setup::before(&origin).rules(&rule("here")).start();
    if !is_whole(&node) {
        return;
    }
    for (key, file, list) in [
        ("waf.rules_path", "rules.json", "sandbox.read_paths"),
        ("metrics.api_token_file", "token", "sandbox.read_paths"),
        ("logging.file", "node.log", "sandbox.write_paths"),
    ] {
        let before = (key == "waf.rules_path").then_some("\"rules.json\"");
        node.configure(key, format!("\"{}\"", elsewhere.path().join(file).display()));
        let message = refusal(&node);
        for part in [key, file, "outside the folders that the node may use since its start: restart it", list]
        {
            assert!(message.contains(part), "{key}: {part}: {message}");
        }
        match before {
            Some(before) => node.configure(key, before),
            None => {
                node.setup.take(key);
                node.setup.write();
            }
        }
    }
    assert_eq!(node.reload()["generation"], 2, "nothing had changed");

    node.configure("waf.rules_path", format!("\"{}\"", elsewhere.path().join("rules.json").display()));
    node.kill();
    node.start_again();
    assert_eq!(node.get("/?q=elsewhere").status, 403, "a start takes the new folder in");
}

#[test]
fn a_folder_that_is_listed_may_be_used_by_a_later_reload() {
    let origin = Origin::echo();
    let elsewhere = tempfile::tempdir().unwrap();
    let listed = format!("[\"{}\"]", elsewhere.path().display());
    let mut node = Setup::before(&origin).set("sandbox.read_paths", listed).start();
    fs::write(elsewhere.path().join("rules.json"), rule("elsewhere")).unwrap();
    node.configure("waf.rules_path", format!("\"{}\"", elsewhere.path().join("rules.json").display()));
    node.reload();
    assert_eq!(node.get("/?q=elsewhere").status, 403);
}

#[test]
fn a_listed_folder_that_is_not_there_keeps_the_node_from_starting() {
    let origin = Origin::echo();
    let mut setup = Setup::before(&origin).set("sandbox.write_paths", "[\"/not/there\"]");
    for argument in [None, Some("--validate-config")] {
        setup.arguments.extend(argument.map(Into::into));
        let output = Node::run_to_end(&setup);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("sandbox.write_paths: /not/there"), "{said}");
    }
}

#[test]
fn without_it_the_node_may_do_as_before() {
    let origin = Origin::echo();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("rules.json"), rule("elsewhere")).unwrap();
    let mut node = Setup::before(&origin).set("sandbox.enable", false).start();
    let status = of_process(&node, "status");
    // Where the tests run in a container, its filter is there before.
    let own = fs::read_to_string("/proc/self/status").unwrap();
    let filters =
        |status: &str| status.lines().find(|line| line.starts_with("Seccomp_filters")).map(str::to_owned);
    assert_eq!(filters(&status), filters(&own));
    node.configure("waf.rules_path", format!("\"{}\"", elsewhere.path().join("rules.json").display()));
    node.reload();
    assert_eq!(node.get("/?q=elsewhere").status, 403);
}

#[test]
fn a_backend_is_found_by_its_name() {
    let origin = Origin::echo();
    let backend = format!("localhost:{}", origin.address().port());
    let node = Setup::before(&origin).text("server.backend_address", backend).start();
    assert_eq!(node.get("/").status, 200);
}
