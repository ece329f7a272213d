//! What one client may hold at once, connections and memory for bodies: exact, the rest is for others, and all of it comes
//! back however the client goes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::netns::Namespace;
use secbeat_tests::{Client, Node, Origin, Setup, eventually, until};
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::thread;

const LIMIT: usize = 3;

fn client(last: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, last).into()
}

/// A node where a client may have [`LIMIT`] connections open.
fn limited(origin: &Origin) -> Setup {
    Setup::before(origin).set("limits.connections_per_address", LIMIT)
}

/// A connection that was let in, as a request on it shows.
fn open(node: &Node, from: IpAddr) -> Option<Client> {
    let mut client = Client::connect_from(from, node.address()).ok()?;
    client.try_send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").ok()?;
    client.try_answer_to("GET").ok().map(|_| client)
}

/// As many connections as there is room for, once what was held before is given back, however it `ended`; never one more.
fn fill(node: &Node, from: IpAddr, ended: &str) -> Vec<Client> {
    until(&format!("{LIMIT} connections after {ended}"), || {
        let held: Vec<Client> = std::iter::from_fn(|| open(node, from)).take(2 * LIMIT).collect();
        assert!(held.len() <= LIMIT, "{} let in after {ended}", held.len());
        (held.len() == LIMIT).then_some(held)
    })
}

#[test]
fn one_more_than_a_client_may_have_is_closed_and_told() {
    let origin = Origin::echo();
    let node = limited(&origin).start();
    let _held = fill(&node, client(66), "the start");
    let mut refused = Client::connect_from(client(66), node.address()).unwrap();
    assert!(refused.is_closed());
    let event = node.event_named("connection_limit");
    assert_eq!((&event["client_ip"], &event["blocked"]), (&"127.0.0.66".into(), &true.into()));
    assert!(event["reason"].as_str().unwrap().contains("limits.connections_per_address"), "{event}");
    assert!(node.metric("secbeat_connections_refused_total") >= 1.0);
    assert!(open(&node, client(67)).is_some(), "another client has its own");
    assert_eq!(
        fill(&node, Ipv4Addr::LOCALHOST.into(), "the start").len(),
        LIMIT,
        "loopback is a client like others"
    );
}

#[test]
fn as_many_as_allowed_are_let_in_by_all_workers_together() {
    let origin = Origin::echo();
    let node = limited(&origin).set("server.worker_threads", 4).start();
    let held: Vec<Option<Client>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..32).map(|_| scope.spawn(|| open(&node, client(66)))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(held.iter().flatten().count(), LIMIT);
}

#[test]
fn connections_come_back_however_they_end() {
    let origin = Origin::echo();
    let node = limited(&origin).start();
    let from = client(66);
    drop(fill(&node, from, "the start"));
    fill(&node, from, "a close").into_iter().for_each(Client::reset);
    for mut client in fill(&node, from, "a reset") {
        assert_eq!(client.ask("nonsense\r\n\r\n").status, 400);
    }
    let held = fill(&node, from, "a refused request");
    node.block("127.0.0.66");
    drop(held);
    assert_eq!(node.call("DELETE", "/api/v1/block-ip/127.0.0.66", "").status, 200);
    fill(&node, from, "a block");
}

#[test]
fn connections_of_a_client_that_is_killed_come_back() {
    let origin = Origin::echo();
    let node = limited(&origin).start();
    let port = node.address().port();
    // Connects from 127.0.0.1, and says so when it has an answer on each.
    let script = format!(
        "for fd in 3 4 5; do eval \"exec $fd<>/dev/tcp/127.0.0.1/{port}\"; \
         printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' >&$fd; read -r line <&$fd; done; echo held; read -r"
    );
    let mut child = Command::new("bash")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "held\n");
    assert!(open(&node, Ipv4Addr::LOCALHOST.into()).is_none());
    child.kill().unwrap();
    child.wait().unwrap();
    fill(&node, Ipv4Addr::LOCALHOST.into(), "a kill");
}

#[test]
fn connections_that_never_come_to_a_request_come_back() {
    let origin = Origin::echo();
    let node = limited(&origin).tls().set("timeouts.head", 0.2).start();
    let address = node.address();
    let hold = |bytes: &str| {
        let connect = || Client::connect(address);
        let mut held: Vec<Client> = (0..LIMIT).map(|_| connect()).collect();
        for client in &mut held {
            // One that was closed at accept takes nothing.
            let _ = client.try_send(bytes);
        }
        held
    };
    let tls = || Client::connect_tls(address).ok();
    for (bytes, how) in
        [("GET / HTTP/1.1\r\n\r\n", "a failed handshake"), ("", "a handshake that does not begin")]
    {
        for mut client in hold(bytes) {
            // Whatever the node says before it closes, the end comes.
            let _ = client.reader().to_end();
        }
        until(&format!("{LIMIT} connections after {how}"), || {
            let held: Vec<Client> = std::iter::from_fn(tls).take(2 * LIMIT).collect();
            assert!(held.len() <= LIMIT, "{} let in after {how}", held.len());
            (held.len() == LIMIT).then_some(())
        });
    }
}

#[test]
fn a_reload_changes_the_limit_and_counts_who_is_there() {
    let origin = Origin::echo();
    let mut node = limited(&origin).start();
    node.configure("limits.connections_per_address", 0);
    node.reload();
    let held: Vec<Client> = (0..3 * LIMIT).map(|_| open(&node, client(66)).unwrap()).collect();
    node.configure("limits.connections_per_address", LIMIT);
    node.reload();
    assert!(open(&node, client(66)).is_none(), "those that were let in before count");
    assert_eq!(held.into_iter().map(|mut client| client.get("/").status).max(), Some(200), "and stay");
    fill(&node, client(66), "a close");
}

#[test]
fn proxies_that_are_trusted_and_clients_on_the_allowlist_may_have_any_number() {
    let origin = Origin::echo();
    let node = limited(&origin).set("server.trusted_proxies", "[\"127.0.0.66/32\"]").start();
    let allowed = node.post("/api/v1/allowlist", r#"{"ip":"127.0.0.67"}"#);
    assert_eq!(allowed.status, 200, "{}", allowed.text());
    for exempt in [client(66), client(67)] {
        let held: Vec<Client> = (0..2 * LIMIT).filter_map(|_| open(&node, exempt)).collect();
        assert_eq!(held.len(), 2 * LIMIT, "{exempt}");
    }
    fill(&node, client(68), "the start");
}

#[test]
fn an_ipv6_client_has_one_share_for_its_64() {
    let (Some(here), Some(there)) = (Namespace::new(), Namespace::new()) else { return };
    let clients = ["2001:db8:0:1::a/64", "2001:db8:0:1::b/64", "2001:db8:0:2::a/64"];
    here.wire(&["2001:db8:0:1::1/64", "2001:db8:0:2::1/64"], &there, &clients);
    let origin = here.inside(Origin::echo);
    let mut setup = limited(&origin);
    setup.wrapper = here.wrapper().map(str::to_owned).to_vec();
    let port = setup.address.port();
    setup.put("server.bind_address", format!("\"[::]:{port}\""));
    let _node = here.inside(|| setup.start());
    let connect = |source: &str, address: &str| {
        let address: SocketAddr = format!("{address}:{port}").parse().unwrap();
        let mut client = there.inside(|| Client::connect_from(source.parse().unwrap(), address)).unwrap();
        client.try_send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").ok()?;
        client.try_answer_to("GET").ok().map(|_| client)
    };
    let held: Vec<Client> =
        (0..LIMIT).map_while(|_| connect("2001:db8:0:1::a", "[2001:db8:0:1::1]")).collect();
    assert_eq!(held.len(), LIMIT);
    assert!(connect("2001:db8:0:1::b", "[2001:db8:0:1::1]").is_none(), "the same /64");
    assert!(connect("2001:db8:0:2::a", "[2001:db8:0:2::1]").is_some(), "another /64");
}

/// A body of JSON that is inspected, all but its end.
fn unfinished(length: usize) -> Vec<u8> {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n\"",
        length + 2
    );
    [head.into_bytes(), vec![b'x'; length]].concat()
}

#[test]
fn a_client_that_holds_its_part_of_the_memory_for_bodies_leaves_the_rest_to_others() {
    let origin = Origin::echo();
    let node = Setup::before(&origin)
        .set("waf.inspect_body_limit", 100_000)
        .set("waf.body_memory_per_client", 200_000)
        .start();
    let connect = |last: u8| Client::connect_from(client(last), node.address()).unwrap();
    let whole = [unfinished(90_000), b"\"".to_vec()].concat();
    let mut refused = until("one body too many", || {
        let mut held: Vec<Client> = (0..4).map(|_| connect(66)).collect();
        // They may themselves be those that are too many: then they are answered, and not held.
        held.iter_mut().for_each(|client| drop(client.try_send(unfinished(90_000))));
        let refused = (0..20).map(|_| connect(66).ask(&whole)).find(|answer| answer.status == 503)?;
        assert_eq!(connect(67).ask(&whole).status, 200, "another client has its own");
        Some(refused)
    });
    assert_eq!(refused.field("retry-after"), Some("1"));
    let event = node.event_of(&refused);
    assert_eq!(event["event"], "body_memory_exhausted");
    assert!(event["reason"].as_str().unwrap().contains("waf.body_memory_per_client"), "{event}");
    eventually("the memory to be given back", || {
        refused = connect(66).ask(&whole);
        refused.status == 200
    });
}
