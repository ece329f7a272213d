//! `secbeat` against a running node: every noun does what it says, and the exit status says how it went.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{DEADLINE, Node, Origin, Setup, eventually, programs, until};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// What a program has said, and its status.
struct Said {
    code: i32,
    out: String,
    err: String,
}

fn secbeat(words: &[&str]) -> Command {
    let mut command = Command::new(programs::path("secbeat"));
    command.args(words).env_remove("SECBEAT_NODE").env_remove("SECBEAT_TOKEN").stdin(Stdio::null());
    command
}

fn run(words: &[&str]) -> Said {
    let output = secbeat(words).output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Words split at spaces, at this node.
fn at(node: &Node, words: &str) -> Said {
    let api = format!("http://{}", node.setup.api);
    run(&[words.split(' ').collect(), vec!["--node", &api]].concat())
}

/// The same, which must go well.
#[track_caller]
fn ok(node: &Node, words: &str) -> String {
    let said = at(node, words);
    assert_eq!(said.code, 0, "{words}: {}{}", said.out, said.err);
    said.out
}

/// The node's own answer.
#[track_caller]
fn json(node: &Node, words: &str) -> Value {
    serde_json::from_str(&ok(node, &format!("{words} -o json"))).unwrap()
}

/// The same, which must be refused with this status and for this reason.
#[track_caller]
fn refused(node: &Node, words: &str, code: i32, reason: &str) {
    let said = at(node, words);
    assert_eq!(said.code, code, "{words}: {}{}", said.out, said.err);
    assert!(said.err.contains(reason), "{words}: {}", said.err);
}

#[test]
fn who_is_blocked_is_told_confirmed_and_let_go() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let out = ok(&node, "decision add 198.51.100.7 --duration 60 --reason scanner");
    assert!(out.starts_with("198.51.100.7/32 blocked until "), "{out}");
    assert!(
        ok(&node, "decision list")
            .lines()
            .any(|line| line.starts_with("198.51.100.7/32") && line.ends_with("scanner"))
    );
    assert!(ok(&node, "decision list --ip 198.51.100.8").lines().count() == 1);
    refused(&node, "decision add 127.0.0.1", 1, "force");
    refused(&node, "decision add 198.51.100.0/33", 2, "cidr");
    refused(&node, "decision add nobody", 2, "192.0.2.0/24");
    refused(&node, "decision add 198.51.100.7 --duration 0", 2, "duration");
    let out = ok(&node, "decision add 203.0.113.0/24 --confirm 3600 --duration 7200");
    let id = out.trim_end().rsplit(' ').next().unwrap().to_owned();
    assert!(out.contains("once it is confirmed: secbeat decision confirm dec_"), "{out}");
    assert!(ok(&node, "decision list").contains("unless confirmed"));
    assert!(ok(&node, &format!("decision confirm {id}")).contains("203.0.113.0/24"));
    assert!(!ok(&node, "decision list").contains("unless confirmed"));
    refused(&node, &format!("decision confirm {id}"), 1, "");
    let page = ok(&node, "decision list --limit 1");
    assert!(page.ends_with("1 of 2; more with --limit\n"), "{page}");
    assert!(ok(&node, "decision delete 203.0.113.0/24").starts_with("removed dec_"));
    assert!(ok(&node, "decision delete 198.51.100.7").starts_with("removed dec_"));
    refused(&node, "decision delete 198.51.100.7", 1, "not blocked");
}

#[test]
fn who_is_let_through_passes_a_block() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let out = ok(&node, "allowlist add 192.0.2.7 --reason monitoring");
    assert!(out.starts_with("192.0.2.7/32 let through for ever (dec_"), "{out}");
    assert!(ok(&node, "allowlist add 192.0.2.64/26 --duration 60").contains("let through until"));
    assert!(ok(&node, "decision add 192.0.2.0/24").contains("let through all the same: "));
    let list = ok(&node, "allowlist list");
    assert!(
        list.contains("192.0.2.7/32") && list.contains("192.0.2.64/26") && list.contains("monitoring"),
        "{list}"
    );
    assert!(ok(&node, "explain 192.0.2.7").starts_with("192.0.2.7/32: allow"));
    assert!(ok(&node, "explain 192.0.2.8").starts_with("192.0.2.8/32: block, by dec_"));
    ok(&node, "allowlist delete 192.0.2.7");
    refused(&node, "allowlist delete 192.0.2.7", 1, "");
    assert!(ok(&node, "explain 192.0.2.7").starts_with("192.0.2.7/32: block"));
}

#[test]
fn rules_and_exceptions_are_set_listed_and_deleted() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let file = node.setup.path("more.json");
    let rule = r#"{"rules":[{"id":"mine","name":"Mark","pattern":"first-mark","action":"block","severity":"high","category":"bot"}]}"#;
    std::fs::write(&file, rule).unwrap();
    let set = format!("rule set {}", file.display());
    assert!(ok(&node, &set).contains("rules in force"));
    assert!(ok(&node, "rule list").lines().any(|line| line.starts_with("mine ") && line.ends_with("Mark")));
    assert_eq!(node.get("/?q=first-mark").status, 403);
    let words = "rule exception add --id tea --rule mine --path /tea --parameter query:q --duration 3600 --reason tea";
    assert!(ok(&node, words).contains("set tea"));
    assert_eq!((node.get("/tea?q=first-mark").status, node.get("/?q=first-mark").status), (200, 403));
    let list = ok(&node, "rule exception list");
    assert!(
        list.lines()
            .any(|line| line.starts_with("tea ")
                && line.contains("rules: mine, paths: /tea, parameters: query:q")),
        "{list}"
    );
    assert_eq!(json(&node, "rule exception list")["exceptions"][0]["hits"], 1);
    ok(&node, "rule exception delete tea");
    assert_eq!(node.get("/tea?q=first-mark").status, 403);
    refused(&node, "rule exception delete tea", 1, "tea");
    refused(&node, "rule exception add --reason nothing", 2, "");
    ok(&node, "rule delete mine");
    assert_eq!(node.get("/?q=first-mark").status, 200);
    refused(&node, "rule delete mine", 1, "mine");
    std::fs::write(&file, rule.replace("first-mark", "(")).unwrap();
    refused(&node, &set, 2, "mine");
    refused(&node, "rule set /nowhere.json", 2, "/nowhere.json");
    std::fs::write(&file, rule).unwrap();
    ok(&node, &format!("{set} --replace"));
    assert_eq!(json(&node, "rule list")["rules"].as_array().unwrap().len(), 1);
}

#[test]
fn the_kill_switch_is_in_force_when_the_command_returns() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let attack = "/?id=1%20union%20select%20password%20from%20users";
    assert_eq!(node.get(attack).status, 403);
    assert_eq!(ok(&node, "panic status"), "normal: all hosts\n");
    for mode in ["monitor", "off"] {
        let out = ok(&node, &format!("panic {mode} --duration 600 --reason checkout"));
        assert!(out.starts_with(&format!("{mode} until ")) && out.ends_with(": all hosts\n"), "{out}");
        assert_eq!(node.get(attack).status, 200, "{mode}");
    }
    let status = ok(&node, "panic status");
    assert!(status.lines().any(|line| line.starts_with("off ") && line.ends_with("checkout")), "{status}");
    ok(&node, "panic normal");
    assert_eq!(node.get(attack).status, 403);
    ok(&node, "panic off --host other.test --host site.test");
    assert_eq!(node.get(attack).status, 200);
    ok(&node, "panic normal --host other.test --host site.test");
    assert_eq!(node.get(attack).status, 403);
    refused(&node, "panic challenge", 2, "not built");
    refused(&node, "panic off --duration 0", 2, "duration");
    refused(&node, "panic monitor --host a/b", 2, "hosts");
}

#[test]
fn a_request_that_was_stopped_is_found_by_its_id() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let answer = node.get("/login?password=hunter2&id=1%20union%20select%20password%20from%20users");
    let event = node.event_of(&answer);
    let id = answer.field("x-request-id").unwrap();
    let out = ok(&node, &format!("explain {id}"));
    assert!(
        out.contains("status 403")
            && out.contains("STAGE")
            && out.contains(event["rule_id"].as_str().unwrap()),
        "{out}"
    );
    assert!(ok(&node, "event list --type attack").contains("attack_detected"));
    assert!(ok(&node, "event list --type attack --ip 192.0.2.1").lines().count() == 1);
    eventually("the record", || ok(&node, "record list --stopped").contains(id));
    let record = ok(&node, &format!("record list --request-id {id} -o json"));
    assert!(record.contains("[masked]") && !record.contains("hunter2"), "{record}");
    refused(&node, "explain 0000000000000000", 1, "");
    assert!(ok(&node, "node connections").starts_with("ID "));
}

#[test]
fn a_node_tells_its_status_and_its_policy_and_reloads() {
    let origin = Origin::echo();
    let mut node =
        Node::start(Setup::before(&origin).text("metrics.api_token", "0123456789abcdef0123456789abcdef"));
    assert!(ok(&node, "node status").starts_with("ok, version "));
    node.configure("waf.rate_limit_rps", 77);
    let out = ok(&node, "node reload");
    assert!(out.contains("waf.rate_limit_rps"), "{out}");
    assert!(ok(&node, "policy show").contains("waf.rate_limit_rps = 77\n"));
    let shown = ok(&node, "policy show --origin");
    assert!(
        shown.lines().any(|line| line.starts_with("waf.rate_limit_rps ") && line.contains("node.toml:")),
        "{shown}"
    );
    assert!(shown.contains("[secret]") && !shown.contains("0123456789abcdef"), "{shown}");
    node.configure("waf.rate_limit_rps", "\"many\"");
    refused(&node, "node reload", 2, "waf.rate_limit_rps");
}

#[test]
fn a_node_whose_kill_switch_is_turned_says_so_by_its_status() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    ok(&node, "panic off --host shop.test --reason checkout");
    let said = at(&node, "node status");
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(
        said.out.contains("kill switch: off until ") && said.out.contains(": shop.test\n"),
        "{}",
        said.out
    );
    ok(&node, "node status --allow-degraded");
    let explained = ok(&node, "explain 192.0.2.7");
    assert!(explained.contains("MODE ") && explained.contains("checkout"), "{explained}");
    ok(&node, "panic normal");
    ok(&node, "node status");
}

#[test]
fn a_list_is_read_on_to_the_limit() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let ids = |limit: usize| -> Vec<u64> {
        let listed = json(&node, &format!("event list --type attack --limit {limit}"));
        listed["events"].as_array().unwrap().iter().map(|event| event["id"].as_u64().unwrap()).collect()
    };
    // More than a page of the API holds, but at no time more than the 1,024 that may wait for the ring.
    for all in [400, 800, 1200] {
        for _ in 0..400 {
            node.get("/?id=1%20union%20select%20password%20from%20users");
        }
        eventually("all events", || ids(1200).len() == all);
    }
    let mut ids = ids(1050);
    assert!(ids.is_sorted_by(|one, next| one > next));
    ids.dedup();
    assert_eq!(ids.len(), 1050);
    assert_eq!(ok(&node, "event list --limit 7").lines().count(), 8);
}

#[test]
fn what_a_client_sent_cannot_drive_the_operators_terminal() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    // A control sequence introducer, as one character (U+009B) and as two.
    let answer = node.ask(
        "GET /?id=1%20union%20select%20password%20from%20users HTTP/1.1\r\nHost: a\r\nUser-Agent: x\u{9b}2J\u{202e}\r\n\r\n",
    );
    assert_eq!(answer.status, 403);
    node.event_of(&answer);
    for words in ["event list", "event list -o json"] {
        let out = ok(&node, words);
        assert!(
            out.chars().all(|char| char == '\n' || !char.is_control() && char != '\u{202e}'),
            "{words}: {out:?}"
        );
    }
    let events = json(&node, "event list --type attack");
    assert_eq!(events["events"][0]["user_agent"], "x\u{9b}2J\u{202e}");
}

/// A follower, and the lines that it prints.
struct Follower {
    child: Child,
    lines: Receiver<String>,
}

impl Follower {
    fn start(node: &Node, words: &str) -> Self {
        let api = format!("http://{}", node.setup.api);
        let mut command = secbeat(&[words.split(' ').collect(), vec!["--node", &api]].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in out.lines() {
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The next line that holds `part`.
    #[track_caller]
    fn line_with(&self, part: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(DEADLINE).unwrap_or_else(|_| panic!("no line with {part}"));
            if line.contains(part) {
                return line;
            }
        }
    }

    fn interrupt(mut self) -> (Option<i32>, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (self.child.wait().unwrap().code(), errors)
    }
}

#[test]
fn a_follower_sees_each_event_once_over_a_restart_and_ends_well_on_an_interrupt() {
    let origin = Origin::echo();
    let mut node = Node::before(&origin);
    let follower = Follower::start(&node, "event follow --type decision --since 0");
    node.block("192.0.2.1");
    assert!(follower.line_with("192.0.2.1").contains("ip_blocked"));
    node.kill();
    node.start_again();
    // The ids of the new life begin anew: what happens before the follower is back may seem seen.
    let line = until("an event of the new life", || {
        node.block("192.0.2.2");
        follower.lines.try_iter().find(|line| line.contains("192.0.2.2"))
    });
    assert!(line.contains("ip_blocked"), "{line}");
    let (code, errors) = follower.interrupt();
    assert_eq!(code, Some(0), "{errors}");
    assert!(errors.contains("trying again"), "{errors}");
}

#[test]
fn a_follower_prints_json_a_line_each_and_is_refused_what_the_node_refuses() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let follower = Follower::start(&node, "event follow --since 0 -o json");
    node.get("/?id=1%20union%20select%20password%20from%20users");
    let event: Value = serde_json::from_str(&follower.line_with("attack_detected")).unwrap();
    assert_eq!((&event["status"], &event["type"]), (&403.into(), &"attack".into()));
    assert_eq!(follower.interrupt().0, Some(0));
    refused(&node, "event follow --type everything", 2, "type");
}

#[test]
fn what_is_not_there_is_said_by_its_name_and_what_is_wrong_by_its_status() {
    let nouns = "incident feed rollout webhook token audit db capture kernel init doctor top support-dump";
    for noun in nouns.split(' ') {
        for words in [vec![noun], vec![noun, "list", "--all"]] {
            let said = run(&words);
            assert_eq!(said.code, 2, "{words:?}");
            assert!(
                said.err.contains(&format!("`secbeat {noun}` is not built in this version")),
                "{}",
                said.err
            );
        }
    }
    assert_eq!(run(&["decision", "remove"]).code, 2);
    assert_eq!(run(&[]).code, 2);
    assert_eq!(run(&["--help"]).code, 0);
    let nobody = secbeat_tests::setup::free_address();
    let said = run(&["node", "status", "--node", &format!("http://{nobody}")]);
    assert_eq!(said.code, 3, "{}", said.err);
    let said = run(&["node", "status", "--node", "unix:/nowhere.sock"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert_eq!(run(&["event", "follow", "--node", &format!("http://{nobody}")]).code, 3);
}

#[test]
fn a_shell_completes_every_noun() {
    for shell in ["bash", "zsh", "fish"] {
        let said = run(&["completions", shell]);
        assert_eq!(said.code, 0, "{}", said.err);
        for noun in ["decision", "allowlist", "rule", "event", "record", "node", "explain", "panic", "policy"]
        {
            assert!(said.out.contains(noun), "{shell}: {noun}");
        }
        assert!(!said.out.contains("support-dump"), "{shell} completes what is not there");
    }
    assert_eq!(run(&["completions", "tcsh"]).code, 2);
    // The shell that is surely there takes it.
    let script = run(&["completions", "bash"]).out;
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut bash.stdin.take().unwrap(), script.as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success());
}
