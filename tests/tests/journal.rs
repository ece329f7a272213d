//! Decisions and what may befall their journal: a kill at any point, a torn tail, a disk that takes nothing, a clock that
//! is set.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Client, Node, Origin, Setup, eventually};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// How often a node is killed while it writes.
const KILLS: u64 = 200;
/// The longest that it may write until then, in microseconds.
const LIFE_US: u64 = 25_000;

fn behind_a_proxy(origin: &Origin) -> Setup {
    Setup::before(origin).set("server.trusted_proxies", "[\"127.0.0.0/8\"]")
}

fn status_for(node: &Node, ip: &str) -> u16 {
    node.ask(format!("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {ip}\r\n\r\n")).status
}

/// Every scope that is blocked.
fn blocked(node: &Node) -> BTreeSet<String> {
    let (mut all, mut path) = (BTreeSet::new(), "/api/v1/blocked-ips?limit=10000".to_owned());
    loop {
        let page = node.call("GET", &path, "").json();
        let scope = |block: &Value| block["scope"].as_str().unwrap().to_owned();
        all.extend(page["blocked_ips"].as_array().unwrap().iter().map(scope));
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/blocked-ips?limit=10000&after={next}"),
            None => return all,
        }
    }
}

/// Blocks one address after the other, from `next` on, until the node is gone, and returns those that it acknowledged.
fn block_until_the_end(api: SocketAddr, next: &mut u32) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let mut client = Client::connect(api);
    loop {
        let ip = Ipv4Addr::from(*next);
        *next += 1;
        let body = format!(r#"{{"ip":"{ip}","reason":"{}"}}"#, "x".repeat((*next % 400) as usize));
        let length = body.len();
        let call = format!(
            "POST /api/v1/block-ip HTTP/1.1\r\nHost: {api}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        match client.try_send(call).and_then(|()| client.try_answer_to("POST")) {
            Ok(answer) if answer.status == 200 => acknowledged.push(format!("{ip}/32")),
            Ok(answer) => panic!("{ip}: {}", answer.text()),
            Err(_the_node_is_gone) => return acknowledged,
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_corrupt_after_a_kill_at_200_random_points() {
    let origin = Origin::echo();
    let mut node = behind_a_proxy(&origin).start();
    let (mut acknowledged, mut next) = (BTreeSet::new(), u32::from(Ipv4Addr::new(100, 64, 0, 0)));
    // A linear congruential generator (Knuth, MMIX): the same points in each run, as far as the machine allows.
    let mut seed = 20_260_101_u64;
    for kill in 0..KILLS {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let life = Duration::from_micros((seed >> 33) % LIFE_US);
        let api = node.setup.api;
        acknowledged.extend(thread::scope(|scope| {
            let writer = scope.spawn(|| block_until_the_end(api, &mut next));
            thread::park_timeout(life);
            node.kill();
            writer.join().unwrap()
        }));
        node.start_again();
        let blocked = blocked(&node);
        let lost: Vec<_> = acknowledged.difference(&blocked).collect();
        assert!(lost.is_empty(), "kill {kill}, {life:?} after the start: {lost:?} of {}", acknowledged.len());
    }
    assert!(acknowledged.len() > 200, "{} blocks are no test", acknowledged.len());
    assert!(!node.log().contains("cannot be read"), "{}", node.log());
    let kept = fs::read_dir(node.setup.path("data")).unwrap().map(|entry| entry.unwrap().file_name());
    let kept: Vec<_> = kept.filter(|name| name.to_string_lossy().contains("damaged")).collect();
    assert!(kept.is_empty(), "{kept:?}");
}

#[test]
fn a_torn_tail_costs_nothing_that_was_acknowledged_and_is_told() {
    let origin = Origin::echo();
    let mut node = behind_a_proxy(&origin).start();
    node.block("203.0.113.7");
    node.kill();
    let path = node.setup.path("data/decisions.journal");
    let mut bytes = fs::read(&path).unwrap();
    bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1);
    let record = bytes.len() - 40;
    let half = bytes[record - 7..record + 13].to_vec();
    bytes.extend([60, 0, 1]);
    bytes.extend(half);
    fs::write(&path, &bytes).unwrap();
    node.start_again();
    assert_eq!(status_for(&node, "203.0.113.7"), 403);
    assert!(node.log().contains("decisions_damaged"), "{}", node.log());
    node.block("203.0.113.8");
    node.kill();
    node.start_again();
    assert_eq!((status_for(&node, "203.0.113.7"), status_for(&node, "203.0.113.8")), (403, 403));
}

#[test]
fn a_disk_that_became_read_only_never_weakens_a_block() {
    let origin = Origin::echo();
    let setup = behind_a_proxy(&origin);
    let data = setup.path("data");
    fs::create_dir(&data).unwrap();
    if !mount(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"], &data) {
        println!("skipped: needs root and mount(8)");
        return;
    }
    let mut node = setup.start();
    node.block("203.0.113.1");
    node.kill();
    assert!(mount(&["-o", "remount,ro"], &data));
    node.start_again();
    assert_eq!(status_for(&node, "203.0.113.1"), 403, "what was there is in force");
    let answer = node.post("/api/v1/block-ip", r#"{"ip":"203.0.113.2"}"#);
    assert_eq!((answer.status, &answer.json()["durable"]), (202, &false.into()), "{}", answer.text());
    assert_eq!(status_for(&node, "203.0.113.2"), 403, "in force all the same");
    assert!(mount(&["-o", "remount,rw"], &data));
    eventually("the block on the disk", || {
        node.call("GET", "/api/v1/status", "").json()["decisions"]["durable"] == true
    });
    node.kill();
    node.start_again();
    assert_eq!(status_for(&node, "203.0.113.2"), 403);
    drop(node);
    let _ = Command::new("umount").arg("--lazy").arg(&data).status();
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    Command::new("mount").args(arguments).arg(at).output().is_ok_and(|output| output.status.success())
}

#[test]
fn a_clock_that_is_set_neither_ends_a_block_early_nor_prolongs_it() {
    let library = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];
    let library = library.map(|folder| format!("{folder}/faketime/libfaketime.so.1"));
    let Some(library) = library.iter().find(|path| Path::new(path).exists()) else {
        println!("skipped: needs libfaketime (package faketime)");
        return;
    };
    for jump in ["+3600s", "-3600s"] {
        let origin = Origin::echo();
        let setup = behind_a_proxy(&origin);
        let offset = setup.path("offset");
        let set = |to: &str| {
            let beside = offset.with_extension("new");
            fs::File::create(&beside).unwrap().write_all(format!("{to}\n").as_bytes()).unwrap();
            fs::rename(&beside, &offset).unwrap();
        };
        set("+0s");
        let mut node = setup
            .variable("LD_PRELOAD", library)
            .variable("FAKETIME_TIMESTAMP_FILE", offset.to_str().unwrap())
            .variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .variable("FAKETIME_NO_CACHE", "1")
            .start();
        node.block("203.0.113.1");
        let short = node.post("/api/v1/block-ip", r#"{"ip":"203.0.113.2","duration":4}"#).json();
        let before = short["expires_at"].as_str().unwrap().to_owned();
        set(jump);
        let told = node.event_named("clock_jumped");
        let forward = jump.starts_with('+');
        assert!(told["reason"].as_str().unwrap().contains(if forward { "forward" } else { "back" }));
        assert_eq!(status_for(&node, "203.0.113.1"), 403, "an hour's block does not end by a clock");
        let list = node.call("GET", "/api/v1/blocked-ips", "").json();
        if let Some(held) =
            list["blocked_ips"].as_array().unwrap().iter().find(|block| block["id"] == short["id"])
        {
            let after = held["expires_at"].as_str().unwrap();
            assert_eq!(after > before.as_str(), forward, "{after} {before}");
        }
        eventually("the end of the short block, which no jump puts off", || {
            status_for(&node, "203.0.113.2") == 200
        });
        node.kill();
        node.start_again();
        assert_eq!(status_for(&node, "203.0.113.1"), 403, "nor by a restart behind it");
    }
}
