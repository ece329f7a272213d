//! What the node asks of its sockets, as the kernel and the trace of its system calls show it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::node::shell;
use secbeat_tests::{Node, Origin, Setup, until};
use std::fs;
use std::process::Command;

/// Whether system calls can be traced here; `false` is said on standard output.
fn can_trace() -> bool {
    let can = Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|s| s.success());
    if !can {
        println!("skipped: needs strace(1), and leave to trace");
    }
    can
}

/// Run by strace(1), which writes down the calls about the network.
fn traced(setup: Setup) -> Setup {
    setup.wrapped_in(&["strace", "-f", "-s", "16", "-o", "trace", "-e", "trace=network"])
}

/// The calls traced so far, once there is one that `contains` this.
fn calls(node: &Node, contains: &str) -> Vec<String> {
    until(&format!("{contains} in the trace"), || {
        let trace = fs::read_to_string(node.setup.path("trace")).unwrap_or_default();
        trace.contains(contains).then(|| trace.lines().map(str::to_owned).collect())
    })
}

/// The longest read of what begins with `start`, in bytes asked for.
fn longest_read(calls: &[String], start: &str) -> usize {
    let asked_for = |call: &String| {
        let (_, arguments) = call.split_once("recvfrom(")?;
        let (_, rest) = arguments.split_once(&format!("\"{start}"))?;
        rest.split(", ").nth(1)?.parse().ok()
    };
    calls.iter().filter_map(asked_for).max().unwrap_or_default()
}

#[test]
fn a_socket_is_read_a_buffer_at_a_time() {
    if !can_trace() {
        return;
    }
    let origin = Origin::echo();
    let body = "u".repeat(200_000);
    for size in [1024, 65_536] {
        let node = traced(Setup::before(&origin).set("server.buffer_size", size)).start();
        let answer = node.ask(format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: video/mp4\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        assert_eq!((answer.status, answer.message.body.len()), (200, body.len()));
        assert_eq!(longest_read(&calls(&node, "\"uuu"), "uuu"), size, "from the client");
        assert_eq!(longest_read(&calls(&node, "\"HTTP/1.1 200"), "HTTP/1.1 200"), size, "from the backend");
    }
}

#[test]
fn small_writes_to_clients_are_sent_at_once_unless_that_is_switched_off() {
    if !can_trace() {
        return;
    }
    let origin = Origin::echo();
    for enabled in [true, false] {
        let setup = Setup::before(&origin).set("performance.enable_tcp_nodelay", enabled);
        let node = traced(setup).start();
        assert_eq!(node.get("/site").status, 200);
        // Of the worker that had the request, told by its thread's id; the API has connections of its own.
        let worker = calls(&node, "\"GET /site");
        let worker = worker.iter().find(|call| call.contains("\"GET /site")).unwrap();
        let worker = worker.split(' ').next().unwrap().to_owned();
        let calls = calls(&node, "\"HTTP/1.1 200");
        let set = |call: &&String| call.starts_with(&worker) && call.contains("TCP_NODELAY, [1]");
        let count = calls.iter().filter(set).count();
        // Towards the backend they always are.
        assert_eq!(count, if enabled { 2 } else { 1 }, "{calls:#?}");
    }
}

#[test]
fn data_in_the_first_packet_is_taken_where_that_is_switched_on() {
    if !can_trace() {
        return;
    }
    let origin = Origin::echo();
    for enabled in [true, false] {
        let setup = Setup::before(&origin).set("performance.enable_tcp_fastopen", enabled);
        let node = traced(setup).start();
        let calls = calls(&node, "listen(");
        let set = calls.iter().any(|call| call.contains("TCP_FASTOPEN, [") && call.ends_with("= 0"));
        assert_eq!(set, enabled, "{calls:#?}");
    }
}

#[test]
fn the_kernel_holds_as_many_connections_as_it_is_told_to() {
    let origin = Origin::echo();
    for size in [17, 33] {
        let node = Setup::before(&origin).set("performance.backlog_size", size).start();
        // Of a listener, ss(8) shows its backlog as `Send-Q`.
        let filter = format!("ss -Hltn 'sport = :{}'", node.address().port());
        let (ran, sockets) = shell(node.setup.dir.path(), &filter);
        assert!(ran, "{sockets}");
        let backlogs: Vec<&str> = sockets.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
        let each_workers_own = [size.to_string(), size.to_string()];
        assert_eq!(backlogs, each_workers_own, "{sockets}");
    }
}
