//! Blocks: in force and on the disk by the time of their answer, everywhere, and never against the operator himself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Client, Node, Origin, Setup, eventually};
use serde_json::Value;
use std::fs;
use std::net::IpAddr;
use std::process::Command;

/// A node that believes loopback about who the client is.
fn behind_a_proxy(origin: &Origin) -> Setup {
    Setup::before(origin).set("server.trusted_proxies", "[\"127.0.0.0/8\"]")
}

/// The status that a client at `ip` gets.
fn status_for(node: &Node, ip: &str) -> u16 {
    node.ask(format!("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {ip}\r\n\r\n")).status
}

fn blocked(node: &Node) -> Vec<Value> {
    node.call("GET", "/api/v1/blocked-ips", "").json()["blocked_ips"].as_array().unwrap().clone()
}

#[test]
fn a_block_is_in_force_by_its_answer() {
    let origin = Origin::echo();
    let node = behind_a_proxy(&origin).start();
    let mut client = node.client();
    for i in 1..=50 {
        let ip = format!("203.0.113.{i}");
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {ip}\r\n\r\n");
        assert_eq!(client.ask(&request).status, 200);
        let answer = node
            .post("/api/v1/block-ip", &format!(r#"{{"ip": "{ip}", "duration": 3600, "reason": "test"}}"#));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        assert_eq!((&answer["ip"], &answer["durable"]), (&ip.as_str().into(), &true.into()));
        assert!(answer["id"].is_string() && answer["expires_at"].is_string(), "{answer}");
        assert_eq!(client.ask(&request).status, 403);
    }
    assert_eq!(status_for(&node, "203.0.113.51"), 200);
    eventually("the gauge", || node.metric("secbeat_blocked_ips_total") == 50.0);
    let decisions = node.events("decision");
    assert_eq!(decisions.len(), 50);
}

#[test]
fn a_block_survives_kill_9_right_after_its_answer() {
    let origin = Origin::echo();
    let mut node = behind_a_proxy(&origin).start();
    for i in 1..=20 {
        node.block(&format!("203.0.113.{i}"));
        node.kill();
        node.start_again();
        for before in 1..=i {
            assert_eq!(status_for(&node, &format!("203.0.113.{before}")), 403, "{before} of {i}");
        }
    }
    assert_eq!(status_for(&node, "203.0.113.21"), 200);
    // What was undone stays undone, too.
    assert_eq!(node.call("DELETE", "/api/v1/block-ip/203.0.113.1", "").status, 200);
    node.kill();
    node.start_again();
    assert_eq!(status_for(&node, "203.0.113.1"), 200);
    assert_eq!(blocked(&node).len(), 19);
}

#[test]
fn the_sync_comes_before_the_answer_in_the_trace_of_system_calls() {
    let origin = Origin::echo();
    let trace = [
        "strace",
        "-f",
        "-s",
        "2000",
        "-o",
        "trace",
        "-e",
        "trace=fdatasync,fsync,write,writev,sendto,sendmsg",
    ];
    if !Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|s| s.success()) {
        println!("skipped: needs strace(1), and leave to trace");
        return;
    }
    let node = behind_a_proxy(&origin).wrapped_in(&trace).start();
    node.block("203.0.113.77");
    let lines = secbeat_tests::until("the answer in the trace", || {
        let trace = fs::read_to_string(node.setup.path("trace")).unwrap_or_default();
        let lines: Vec<String> = trace.lines().map(str::to_owned).collect();
        lines.iter().any(|line| line.contains("\\\"durable\\\":true")).then_some(lines)
    });
    let answered = lines.iter().position(|line| line.contains("\\\"durable\\\":true")).unwrap();
    let started = lines.iter().position(|line| line.contains("\\\"status\\\":\\\"ready\\\"")).unwrap();
    let between = &lines[started..answered];
    let synced = between.iter().rposition(|line| line.contains("fdatasync") && line.ends_with("= 0"));
    let synced = synced.unwrap_or_else(|| panic!("no fdatasync before the answer: {between:#?}"));
    let written =
        between[..synced].iter().rposition(|line| line.contains(" write(") && !line.contains("HTTP/1.1"));
    assert!(written.is_some(), "nothing was written before the sync: {between:#?}");
}

#[test]
fn a_block_ends_when_it_is_undone_and_when_its_time_is_over() {
    let origin = Origin::echo();
    let node = behind_a_proxy(&origin).start();
    node.block("203.0.113.1");
    let answer = node.call("DELETE", "/api/v1/block-ip/203.0.113.1", "");
    assert_eq!((answer.status, answer.json()["removed"].as_array().unwrap().len()), (200, 1));
    assert_eq!(status_for(&node, "203.0.113.1"), 200);
    assert_eq!(node.call("DELETE", "/api/v1/block-ip/203.0.113.1", "").status, 404);

    let answer = node.post("/api/v1/block-ip", r#"{"ip":"203.0.113.2","duration":1}"#);
    assert_eq!(answer.status, 200);
    eventually("the block's end", || status_for(&node, "203.0.113.2") == 200);
    eventually("the list without it", || blocked(&node).is_empty());
    node.event_named("block_expired");
}

#[test]
fn a_block_of_one_ipv6_address_covers_its_64_and_no_more() {
    let origin = Origin::echo();
    let node = behind_a_proxy(&origin).start();
    node.block("2001:db8:1:2::3");
    assert_eq!(status_for(&node, "2001:db8:1:2:ffff::1"), 403);
    assert_eq!(status_for(&node, "[2001:db8:1:2::3]"), 403);
    assert_eq!(status_for(&node, "2001:db8:1:3::3"), 200);
    assert_eq!(node.call("DELETE", "/api/v1/block-ip/2001:db8:1:2::9", "").status, 200);
    assert_eq!(status_for(&node, "2001:db8:1:2::3"), 200);
    // An IPv4 address is one, however it is written.
    node.block("::ffff:203.0.113.9");
    assert_eq!(status_for(&node, "203.0.113.9"), 403);
    assert_eq!(status_for(&node, "203.0.113.8"), 200);
}

#[test]
fn an_emergency_block_stops_a_whole_prefix() {
    let origin = Origin::echo();
    let node = behind_a_proxy(&origin).start();
    for (cidr, inside, outside) in [
        ("192.168.0.0/16", "192.168.200.9", "192.169.0.1"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
    ] {
        let body = format!(r#"{{"cidr": "{cidr}"}}"#);
        let answer = node.post("/api/v1/emergency-block", &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["cidr"], cidr);
        assert_eq!((status_for(&node, inside), status_for(&node, outside)), (403, 200));
        assert_eq!(node.call("DELETE", "/api/v1/emergency-block", &body).status, 200);
        assert_eq!(status_for(&node, inside), 200);
    }
}

#[test]
fn a_block_that_would_hit_the_operator_is_refused_and_says_whom() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).set("server.trusted_proxies", "[\"198.51.100.0/24\"]").start();
    let cases = [
        ("/api/v1/block-ip", r#"{"ip":"127.0.0.1""#, "the caller"),
        ("/api/v1/block-ip", r#"{"ip":"127.9.9.9""#, "loopback"),
        ("/api/v1/block-ip", r#"{"ip":"::1""#, "loopback"),
        ("/api/v1/block-ip", r#"{"ip":"198.51.100.7""#, "a trusted proxy"),
        ("/api/v1/emergency-block", r#"{"cidr":"0.0.0.0/0""#, "the backend"),
        ("/api/v1/emergency-block", r#"{"cidr":"::/0""#, "loopback"),
    ];
    for (path, start, whom) in cases {
        let answer = node.post(path, &format!("{start}}}"));
        assert_eq!(answer.status, 409, "{start}: {}", answer.text());
        let error = &answer.json()["error"];
        assert!(error["message"].as_str().unwrap().contains(whom), "{start}: {error}");
        assert_eq!(error["code"], "conflict");
    }
    assert!(blocked(&node).is_empty());
    assert_eq!(node.post("/api/v1/block-ip", r#"{"ip":"198.51.100.7","force":true}"#).status, 200);
    assert_eq!(blocked(&node).len(), 1);
}

#[test]
fn a_block_closes_what_is_open_and_what_comes() {
    let origin = Origin::scripted(|conversation| {
        loop {
            let request = conversation.request()?;
            if request.field("upgrade").is_some() {
                conversation.send(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
                )?;
                return conversation.wait_for_end();
            }
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
        }
    });
    let node = Node::before(&origin);
    let attacker: IpAddr = "127.0.0.66".parse().unwrap();
    let connect = || Client::connect_from(attacker, node.address()).unwrap();
    let (mut idle, mut tunnel, mut other) = (connect(), connect(), node.client());
    assert_eq!(idle.get("/").status, 200);
    tunnel.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert_eq!(tunnel.answer_to("GET").status, 101);
    assert_eq!(other.get("/").status, 200);

    node.block("127.0.0.66");
    assert!(idle.is_closed(), "an idle connection");
    assert!(tunnel.is_closed(), "a tunnel");
    assert!(connect().is_closed(), "a new connection");
    assert_eq!(other.get("/").status, 200, "everybody else goes on");
    assert_eq!(node.event_named("connection_refused")["client_ip"], "127.0.0.66");
    assert_eq!(node.metric("secbeat_attacks_blocked_total{type=\"reputation\""), 1.0);

    assert_eq!(node.call("DELETE", "/api/v1/block-ip/127.0.0.66", "").status, 200);
    assert_eq!(connect().get("/").status, 200);
}

#[test]
fn a_block_cuts_a_download_and_an_upload() {
    let origin = Origin::scripted(|conversation| {
        if conversation.head()?.start.starts_with("GET ") {
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")?;
            while conversation.send([b'x'; 4096]).is_ok() {}
        }
        conversation.wait_for_end()
    });
    let node = Node::before(&origin);
    let connect = || Client::connect_from("127.0.0.67".parse().unwrap(), node.address()).unwrap();
    let (mut download, mut upload) = (connect(), connect());
    download.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(download.reader().answer_head().unwrap().status, 200);
    upload.send(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: video/mp4\r\nContent-Length: 1000000\r\n\r\nfirst",
    );
    eventually("the upload at the backend", || origin.bytes().concat().ends_with(b"first"));
    node.block("127.0.0.67");
    let read = download.reader().to_end().map_or(0, |bytes| bytes.len());
    assert!(read < 1_000_000_000);
    assert!(upload.is_closed());
    eventually("the end of both", || node.metric("secbeat_connections_active") == 0.0);
}

#[test]
fn a_full_disk_never_weakens_a_block() {
    let origin = Origin::echo();
    let setup = behind_a_proxy(&origin);
    let data = setup.path("data");
    fs::create_dir(&data).unwrap();
    let Some(disk) = Disk::mount(&data) else { return };
    let mut node = setup.start();
    fs::write(data.join("filler"), vec![0; 1 << 20]).expect_err("the disk is small");

    // What the file has room for yet is used up first.
    let reason = "x".repeat(400);
    let (ip, answer) = (1..250)
        .map(|i| format!("203.0.113.{i}"))
        .map(|ip| {
            let body = format!(r#"{{"ip":"{ip}","reason":"{reason}"}}"#);
            (ip, node.post("/api/v1/block-ip", &body))
        })
        .find(|(_, answer)| answer.status != 200)
        .expect("a block that the full disk does not take");
    assert_eq!((answer.status, &answer.json()["durable"]), (202, &false.into()), "{}", answer.text());
    assert_eq!(status_for(&node, &ip), 403, "in force all the same");
    let durable = |node: &Node| node.call("GET", "/api/v1/status", "").json()["decisions"]["durable"] == true;
    assert!(!durable(&node));
    eventually("a line in the log that names the block", || node.log().contains(&format!("{ip}/32")));

    fs::remove_file(data.join("filler")).unwrap();
    eventually("the block on the disk", || durable(&node));
    node.kill();
    node.start_again();
    assert_eq!(status_for(&node, &ip), 403);
    drop((node, disk));
}

/// A disk of 256 KiB, gone when it is dropped.
struct Disk(std::path::PathBuf);

impl Disk {
    fn mount(at: &std::path::Path) -> Option<Self> {
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(at).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            println!("skipped: needs root and mount(8)");
            return None;
        }
        Some(Self(at.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
