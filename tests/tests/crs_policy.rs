//! What is said of the Core Rule Set acts at a reload, which loses no request.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::setup::copy_folder;
use secbeat_tests::{Node, Origin, Setup, eventually};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

const RULES: &str = "/usr/share/modsecurity-crs/rules";
const DEBIAN_SETUP: &str = "/etc/modsecurity/crs/crs-setup.conf";
const SCANNER: &str = "/?from=nikto";
/// Of a control character, a rule of level 2 speaks, and none of level 1.
const LEVEL_2: &str = "/?a=%01";

fn get(node: &Node, target: &str) -> secbeat_tests::Answer {
    let agent = if target == SCANNER { "Nikto/2.1.6" } else { "Mozilla/5.0" };
    node.ask(format!(
        "GET {target} HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: {agent}\r\nAccept: */*\r\n\r\n"
    ))
}

fn scanner(node: &Node) -> String {
    get(node, SCANNER).status.to_string()
}

fn level_2(node: &Node) -> String {
    get(node, LEVEL_2).status.to_string()
}

/// What is told of a request that goes on.
fn seen_of_level_2(node: &Node) -> String {
    let answer = get(node, LEVEL_2);
    let told = node.explained(&answer);
    format!("{} {}", answer.status, told["event"]["rule_id"])
}

/// A key, its new value, what is looked at, and what is seen before and after.
type Row = (&'static str, &'static str, fn(&Node) -> String, &'static str, &'static str);

const KEYS: &[Row] = &[
    ("waf.crs.enable", "false", scanner, "403", "200"),
    ("waf.crs.path", "\"crs\"", scanner, "403", "200"),
    ("waf.crs.setup", "\"setup.conf\"", scanner, "403", "200"),
    ("waf.crs.paranoia_level", "2", level_2, "200", "403"),
    ("waf.crs.detection_paranoia_level", "2", seen_of_level_2, "200 null", "200 \"920271\""),
    ("waf.crs.inbound_threshold", "6", scanner, "403", "200"),
];

#[test]
fn each_key_of_the_rule_set_acts_at_a_reload_and_its_old_value_acts_again_at_the_next() {
    let origin = Origin::echo();
    let Some(setup) = Setup::before(&origin).rule_set() else { return };
    let mut node = setup.start();
    // A copy without the rules that look for scanners, and a setup under which their score is not enough.
    copy_folder(Path::new(RULES), &node.setup.path("crs/rules"));
    fs::copy(DEBIAN_SETUP, node.setup.path("crs/crs-setup.conf")).unwrap();
    fs::remove_file(node.setup.path("crs/rules/REQUEST-913-SCANNER-DETECTION.conf")).unwrap();
    let more =
        "SecAction \"id:900999,phase:1,nolog,pass,t:none,setvar:tx.inbound_anomaly_score_threshold=6\"\n";
    fs::write(node.setup.path("setup.conf"), fs::read_to_string(DEBIAN_SETUP).unwrap() + more).unwrap();
    for (key, value, seen, before, after) in KEYS {
        assert_eq!(seen(&node), *before, "{key} before");
        node.configure(key, value);
        let answer = node.reload();
        assert!(answer["changed"].as_array().unwrap().contains(&(*key).into()), "{key}: {answer}");
        assert_eq!(seen(&node), *after, "{key} = {value}");
        if *key == "waf.crs.enable" {
            node.configure(key, true);
        } else {
            node.setup.take(key);
            node.setup.write();
        }
        node.reload();
        assert_eq!(seen(&node), *before, "{key} again");
    }
}

/// Has the readers stop, also where a check fails.
struct Stopping<'s>(&'s AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn reloads_to_other_levels_and_thresholds_under_load_lose_no_request() {
    let origin = Origin::echo();
    let Some(setup) = Setup::before(&origin).rule_set() else { return };
    let mut node = setup.start();
    let address = node.address();
    let stop = AtomicBool::new(false);
    let served = AtomicUsize::new(0);
    thread::scope(|scope| {
        for reader in 0..3 {
            let (stop, served) = (&stop, &served);
            scope.spawn(move || {
                let mut client = secbeat_tests::Client::connect(address);
                for i in 0_usize.. {
                    let body = format!("page={reader}&text=number+{i}");
                    let fields = "User-Agent: Mozilla/5.0\r\nAccept: */*\r\n\
                                  Content-Type: application/x-www-form-urlencoded\r\n";
                    let answer = client.ask(secbeat_tests::request("POST /load", fields, &body));
                    assert_eq!((answer.status, answer.text()), (200, body));
                    served.fetch_add(1, Ordering::Relaxed);
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        let stopping = Stopping(&stop);
        for (level, threshold, statuses) in [
            (2, 5, [403, 403]),
            (1, 5, [403, 200]),
            (1, 6, [200, 200]),
            (3, 5, [403, 403]),
            (2, 11, [200, 200]),
        ] {
            let at_least = served.load(Ordering::Relaxed) + 3;
            node.configure("waf.crs.paranoia_level", level);
            node.configure("waf.crs.inbound_threshold", threshold);
            node.reload();
            let seen = [SCANNER, LEVEL_2].map(|target| get(&node, target).status);
            assert_eq!(seen, statuses, "level {level}, threshold {threshold}");
            eventually("requests between two reloads", || served.load(Ordering::Relaxed) >= at_least);
        }
        drop(stopping);
    });
    let served = served.load(Ordering::Relaxed) as f64;
    eventually("every request in the count", || {
        node.metric("secbeat_requests_total{method=\"POST\",status=\"200\"") == served
    });
}
