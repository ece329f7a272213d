//! The quick start, as somebody who tries it sees it: the printed lines are run as they are.

// What fails in a test is to panic, with its reason.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

const SECBEAT: &str = env!("CARGO_BIN_EXE_secbeat");

/// A quick start that is ready.
struct Site {
    process: Child,
    stdout: BufReader<ChildStdout>,
    banner: String,
}

impl Site {
    fn start(options: &[&str]) -> Site {
        ensure_node();
        let mut process = Command::new(SECBEAT)
            .args(["quickstart", "--listen", "127.0.0.1:0", "--node-api", "127.0.0.1:0"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut banner = String::new();
        while !banner.ends_with("Ctrl-C stops everything.\n") {
            if stdout.read_line(&mut banner).unwrap() == 0 {
                let mut errors = String::new();
                process.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
                panic!("it ended before it was ready: {banner}{errors}");
            }
        }
        Site { process, stdout, banner }
    }

    /// The printed lines, to be run by a shell.
    fn lines(&self) -> Vec<&str> {
        self.banner.lines().map(str::trim).filter(|line| line.starts_with("curl ")).collect()
    }

    /// The word after `label` in the banner.
    fn word(&self, label: &str) -> &str {
        let line = self.banner.lines().find(|line| line.trim_start().starts_with(label)).unwrap();
        line.trim_start().strip_prefix(label).unwrap().split_whitespace().next().unwrap()
    }

    /// An open connection to the API of the first node: it ends with the node.
    fn connection(&self) -> TcpStream {
        let api = self.word("the node's API").strip_prefix("http://").unwrap().to_owned();
        let stream = TcpStream::connect(api).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    fn node_pids(&self) -> Vec<String> {
        let id = self.process.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        children.split_whitespace().map(str::to_owned).collect()
    }

    fn end(mut self) -> (ExitStatus, String) {
        let (mut rest, mut errors) = (String::new(), String::new());
        self.stdout.read_to_string(&mut rest).unwrap();
        self.process.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (self.process.wait().unwrap(), errors)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Builds the node where `cargo test -p secbeat` alone has not.
fn ensure_node() {
    if Path::new(SECBEAT).with_file_name("mitigation-node").is_file() {
        return;
    }
    let release: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };
    let built = Command::new(env!("CARGO"))
        .args(["build", "-p", "mitigation-node", "--locked"])
        .args(release)
        .status();
    assert!(built.unwrap().success());
}

fn shell(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn secbeat(arguments: &[&str]) -> Output {
    Command::new(SECBEAT).args(arguments).output().unwrap()
}

fn signal(name: &str, pid: &str) {
    assert!(Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status().unwrap().success());
}

/// The statuses of all answers that `curl -i` printed.
fn statuses(printed: &str) -> Vec<&str> {
    printed.split("HTTP/1.1 ").skip(1).map(|rest| &rest[..3]).collect()
}

#[test]
fn the_printed_lines_do_what_is_printed_above_them() {
    let site = Site::start(&[]);
    let lines = site.lines();
    let [page, attack, block] = lines[..] else { panic!("three lines: {}", site.banner) };
    let shown = shell(page);
    assert_eq!(statuses(&shown), ["200"], "{shown}");
    assert!(shown.contains("protected by SecBeat"), "{shown}");
    assert_eq!(statuses(&shell(attack)), ["403"]);
    let shown = shell(block);
    assert!(shown.contains(r#""durable":true"#), "{shown}");
    assert_eq!(statuses(&shown), ["403"], "{shown}");
    assert_eq!(statuses(&shell(page)), ["200"], "the block hits nobody else");
    signal("TERM", &site.process.id().to_string());
    let folder = site.word("files").to_owned();
    let (status, errors) = site.end();
    assert!(status.success() && errors.is_empty(), "{status}: {errors}");
    assert!(!Path::new(&folder).exists(), "{folder} is left behind");
}

#[test]
fn two_nodes_share_the_address_and_keep_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::start(&["--nodes", "2", "--data-dir", folder.path().to_str().unwrap()]);
    assert_eq!(site.node_pids().len(), 2);
    let lines = site.lines();
    let [page, attack, block] = lines[..] else { panic!("three lines: {}", site.banner) };
    let shown = shell(block);
    assert_eq!(shown.matches(r#""durable":true"#).count(), 2, "{shown}");
    assert_eq!(statuses(&shown), ["403"]);
    for _ in 0..8 {
        assert_eq!((statuses(&shell(page)), statuses(&shell(attack))), (vec!["200"], vec!["403"]));
    }
    signal("INT", &site.process.id().to_string());
    assert!(site.end().0.success());
    for name in ["node-1.toml", "node-2.toml", "node-1.log", "node-2.log", "cert.pem", "key.pem"] {
        assert!(folder.path().join(name).is_file(), "{name}");
    }
}

#[test]
fn the_nodes_end_with_a_quick_start_that_is_killed() {
    let site = Site::start(&[]);
    let mut connection = site.connection();
    signal("KILL", &site.process.id().to_string());
    let mut nothing = Vec::new();
    // A reset says the same as an end; only a timeout would say that the node goes on.
    let read = connection.read_to_end(&mut nothing);
    assert!(
        read.as_ref().map_or_else(|error| error.kind() != std::io::ErrorKind::WouldBlock, |_| true),
        "{read:?}"
    );
    let folder = site.word("files").to_owned();
    drop(site);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_node_that_ends_by_itself_is_told_of_with_the_end_of_its_log() {
    let site = Site::start(&[]);
    signal("KILL", &site.node_pids()[0]);
    let (status, errors) = site.end();
    assert_eq!(status.code(), Some(1));
    assert!(errors.contains("node 1 ended by itself") && errors.contains("started"), "{errors}");
    assert!(errors.contains("no node is left"), "{errors}");
}

#[test]
fn an_operator_sees_and_changes_what_is_in_force() {
    let site = Site::start(&[]);
    let api = site.word("the node's API").to_owned();
    let call = |arguments: &str| {
        let output = secbeat(&[arguments.split(' ').collect(), vec!["--node", &api]].concat());
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code().unwrap(), text)
    };
    let (code, text) = call("decision add 198.51.100.7 --duration 60 --reason scanner");
    assert!(code == 0 && text.starts_with("198.51.100.7/32 blocked until "), "{code}: {text}");
    assert!(
        call("decision list")
            .1
            .lines()
            .any(|line| line.starts_with("198.51.100.7/32") && line.ends_with("scanner"))
    );
    assert!(call("event list --type decision").1.contains("ip_blocked"));
    assert_eq!(call("decision delete 198.51.100.7").0, 0);
    assert_eq!(call("decision delete 198.51.100.7").0, 1, "it is not blocked any more");
    assert_eq!(call("decision add 127.0.0.1").0, 1, "that would lock the caller out");
    assert_eq!(call("decision add 192.0.2.0/24 --duration 0").0, 2);
    assert!(call("rule list").1.contains("sql_injection"));
    let (code, text) = call("node status -o json");
    assert_eq!(code, 1, "a self-signed certificate is a degradation");
    assert!(text.contains(r#""mode": "l7""#), "{text}");
    signal("TERM", &site.process.id().to_string());
    assert!(site.end().0.success());
    assert_eq!(call("node status").0, 3);
}

#[test]
fn what_is_not_built_or_not_possible_is_refused_by_name() {
    for (options, expected) in [
        (vec!["--api", "127.0.0.1:9090"], "not built in this version"),
        (vec!["--backend", "https://127.0.0.1:1"], "not built in this version"),
        (vec!["--nodes", "0"], "1..=64"),
        (
            vec!["--data-dir", "/dev/null/x", "--listen", "127.0.0.1:0", "--node-api", "127.0.0.1:0"],
            "--data-dir",
        ),
    ] {
        ensure_node();
        let output = secbeat(&[vec!["quickstart"], options].concat());
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && errors.contains(expected), "{errors}");
    }
}

#[test]
fn a_configuration_is_checked_by_the_node() {
    ensure_node();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("node.toml");
    let data = folder.path().join("data");
    let text = format!("[server]\nbackend_address = \"127.0.0.1:8080\"\ndata_dir = {data:?}\n");
    std::fs::write(&file, &text).unwrap();
    let output = secbeat(&["validate", file.to_str().unwrap()]);
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("valid"),
        "{output:?}"
    );
    std::fs::write(&file, format!("{text}worker_treads = 1\n")).unwrap();
    let output = secbeat(&["validate", file.to_str().unwrap()]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(2)
            && errors.contains("node.toml:4:1")
            && errors.contains("worker_threads"),
        "{errors}"
    );
}
