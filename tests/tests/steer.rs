//! Blocks, as clients with addresses of their own feel them, from the guide's own on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::netns::Namespace;
use secbeat_tests::{Client, Node, Origin, Setup, eventually};
use secbeat_types::Timestamp;
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The clients' addresses: the guide's own, its neighbour, one of another network, two in one /64, and one in the next.
const GUIDES: &str = "192.168.1.100";
const NEIGHBOUR: &str = "192.168.1.101";
const STRANGER: &str = "10.9.0.2";
const SIX: &str = "2001:db8:0:1::a";
const SIX_BESIDE: &str = "2001:db8:0:1::b";
const SIX_NEXT: &str = "2001:db8:0:2::a";

/// A node in a namespace, and its clients in another.
struct Network {
    node: Node,
    _origin: Origin,
    here: Namespace,
    there: Namespace,
}

impl Network {
    fn new() -> Option<Self> {
        let (here, there) = (Namespace::new()?, Namespace::new()?);
        here.wire(
            &["192.168.1.1/16", "10.9.0.1/24", "2001:db8:0:1::1/64", "2001:db8:0:2::1/64"],
            &there,
            &[
                &format!("{GUIDES}/16"),
                &format!("{NEIGHBOUR}/16"),
                &format!("{STRANGER}/24"),
                &format!("{SIX}/64"),
                &format!("{SIX_BESIDE}/64"),
                &format!("{SIX_NEXT}/64"),
            ],
        );
        let origin = here.inside(|| {
            Origin::scripted(|conversation| {
                loop {
                    if conversation.request()?.field("upgrade").is_none() {
                        conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
                        continue;
                    }
                    let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
                    conversation.send(switch)?;
                    loop {
                        let said = conversation.reader().exactly(1)?;
                        conversation.send(said)?;
                    }
                }
            })
        });
        let mut setup = Setup::before(&origin);
        // Every port is free in there, the guide's among them.
        setup.api = SocketAddr::from(([127, 0, 0, 1], 9191));
        setup = setup.text("metrics.bind_address", "127.0.0.1:9191").inside(&here);
        let node = here.inside(|| setup.start());
        Some(Self { node, _origin: origin, here, there })
    }

    /// What an operator on the node's machine does.
    fn operator<T: Send>(&self, work: impl FnOnce(&Node) -> T + Send) -> T {
        self.here.inside(|| work(&self.node))
    }

    /// What the guide's curl, word for word, is answered.
    #[track_caller]
    fn curl(&self, words: &str) -> Value {
        let output = self.here.command("bash").args(["-c", &format!("curl -s {words}")]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    /// A connection from this address.
    fn connect(&self, source: &str) -> Client {
        let source: IpAddr = source.parse().unwrap();
        let host = match source {
            IpAddr::V4(v4) if v4.octets()[0] == 10 => "10.9.0.1".parse().unwrap(),
            IpAddr::V4(_) => "192.168.1.1".parse().unwrap(),
            IpAddr::V6(v6) => IpAddr::from([0x2001, 0xdb8, 0, v6.segments()[3], 0, 0, 0, 1]),
        };
        let address = SocketAddr::new(host, self.node.address().port());
        self.there.inside(|| Client::connect_from(source, address)).unwrap()
    }

    /// Whether somebody at this address is let in; who is not is closed before he says a word.
    #[track_caller]
    fn lets_in(&self, source: &str) -> bool {
        let mut client = self.connect(source);
        let asked = client.try_send("GET / HTTP/1.1\r\nHost: site.test\r\n\r\n");
        match asked.and_then(|()| client.try_answer_to("GET")) {
            Ok(answer) => answer.status == 200,
            Err(error) => {
                let refused = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
                assert!(refused.contains(&error.kind()), "{source}: {error}");
                false
            }
        }
    }

    /// A WebSocket that is open.
    fn websocket(&self, source: &str) -> Client {
        let mut client = self.connect(source);
        client
            .send("GET /ws HTTP/1.1\r\nHost: site.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
        assert_eq!(client.answer_to("GET").status, 101);
        assert!(answers(&mut client), "{source}");
        client
    }
}

/// Whether the other end of a WebSocket is still there.
fn answers(websocket: &mut Client) -> bool {
    websocket.send("x");
    websocket.reader().exactly(1).unwrap() == b"x"
}

#[test]
fn the_guides_calls_cut_and_refuse_whom_they_name_and_nobody_else() {
    let Some(network) = Network::new() else { return };
    let (mut his, mut neighbours) = (network.websocket(GUIDES), network.websocket(NEIGHBOUR));
    let mut strangers = network.websocket(STRANGER);
    let mut idle = network.connect(GUIDES);
    assert_eq!(idle.get("/").status, 200);

    let blocked = network.curl(
        r#"-X POST http://localhost:9191/api/v1/block-ip -d '{"ip": "192.168.1.100", "duration": 3600}'"#,
    );
    assert_eq!((&blocked["ip"], &blocked["durable"]), (&GUIDES.into(), &true.into()), "{blocked}");
    assert!(his.is_closed() && idle.is_closed());
    assert!(!network.lets_in(GUIDES));
    assert!(answers(&mut neighbours) && answers(&mut strangers));
    assert!(network.lets_in(NEIGHBOUR));

    let emergency = network
        .curl(r#"-X POST http://localhost:9191/api/v1/emergency-block -d '{"cidr": "192.168.0.0/16"}'"#);
    assert_eq!((&emergency["cidr"], &emergency["durable"]), (&"192.168.0.0/16".into(), &true.into()));
    assert!(neighbours.is_closed());
    assert!(!network.lets_in(NEIGHBOUR));
    assert!(answers(&mut strangers) && network.lets_in(STRANGER));

    // Both blocks of the one, and that of the other, are explained; who undoes one leaves the other.
    let told = network.operator(|node| node.told(&format!("/api/v1/explain?ip={GUIDES}")));
    let considered = told["considered"].as_array().unwrap();
    let ids: Vec<&Value> = considered.iter().map(|one| &one["decision"]["id"]).collect();
    assert_eq!(ids.len(), 2, "{told}");
    assert!(ids.contains(&&blocked["id"]) && ids.contains(&&emergency["id"]), "{told}");
    assert!(considered.iter().all(|one| one["in_force"] == true && one["precedence"] == "manual"), "{told}");
    assert_eq!((&told["verdict"], &told["in_force"]["id"]), (&"block".into(), &blocked["id"]), "{told}");
    assert_eq!(told["connections"], json!({"open": 0, "limit": null}));
    let told = network.operator(|node| node.told(&format!("/api/v1/explain?ip={STRANGER}")));
    assert_eq!((&told["verdict"], &told["considered"]), (&"pass".into(), &json!([])), "{told}");
    assert_eq!(told["connections"]["open"], 1, "{told}");

    network.curl(&format!("-X DELETE http://localhost:9191/api/v1/block-ip/{GUIDES}"));
    assert!(!network.lets_in(GUIDES));
    network.curl(r#"-X DELETE http://localhost:9191/api/v1/emergency-block -d '{"cidr": "192.168.0.0/16"}'"#);
    assert!(network.lets_in(GUIDES) && network.lets_in(NEIGHBOUR));
}

#[test]
fn a_block_lasts_until_the_second_that_its_answer_names() {
    let Some(network) = Network::new() else { return };
    let body = format!(r#"{{"ip":"{GUIDES}","duration":2}}"#);
    let answer = network.operator(|node| node.done("/api/v1/block-ip", &body));
    let end = Timestamp::parse(answer["expires_at"].as_str().unwrap()).unwrap();
    let mut refused = 0;
    eventually("the block's end", || {
        let before = Timestamp::now();
        let is_let_in = network.lets_in(GUIDES);
        if is_let_in {
            assert!(Timestamp::now() >= end, "let in before {end}");
        } else {
            refused += 1;
            assert!(before < end.after(Duration::from_secs(1)), "refused after {end}");
        }
        is_let_in
    });
    assert!(refused > 0);
}

#[test]
fn who_is_allowed_passes_the_block_of_his_network() {
    let Some(network) = Network::new() else { return };
    let allowed = network.operator(|node| node.done("/api/v1/allowlist", &format!(r#"{{"ip":"{GUIDES}"}}"#)));
    let mut his = network.websocket(GUIDES);
    let blocked = network
        .curl(r#"-X POST http://localhost:9191/api/v1/emergency-block -d '{"cidr": "192.168.0.0/16"}'"#);
    assert_eq!(blocked["allowlisted_inside"], json!(["192.168.1.100/32"]), "{blocked}");
    assert!(answers(&mut his) && network.lets_in(GUIDES));
    assert!(!network.lets_in(NEIGHBOUR));

    let told = network.operator(|node| node.told(&format!("/api/v1/explain?ip={GUIDES}")));
    assert_eq!((&told["verdict"], &told["in_force"]["id"]), (&"allow".into(), &allowed["id"]), "{told}");
    let considered = told["considered"].as_array().unwrap();
    assert_eq!(considered[0]["decision"]["id"], allowed["id"], "the one that wins comes first: {told}");
    assert_eq!(considered[0]["precedence"], "allowlist", "{told}");
    assert_eq!(considered[1]["decision"]["id"], blocked["id"], "{told}");
    // Without its entry it is cut like the rest of its network.
    let removed = format!(r#"{{"ip":"{GUIDES}"}}"#);
    assert_eq!(network.operator(|node| node.call("DELETE", "/api/v1/allowlist", &removed).status), 200);
    assert!(his.is_closed());
    assert!(!network.lets_in(GUIDES));
}

#[test]
fn a_block_of_an_ipv6_client_is_its_64_and_that_of_a_128_itself_alone() {
    let Some(network) = Network::new() else { return };
    let (mut beside, mut next) = (network.websocket(SIX_BESIDE), network.websocket(SIX_NEXT));
    let answer = network.operator(|node| node.block(SIX));
    assert_eq!(answer["scope"], "2001:db8:0:1::/64", "{answer}");
    assert!(beside.is_closed());
    assert!(!network.lets_in(SIX) && !network.lets_in(SIX_BESIDE));
    assert!(answers(&mut next) && network.lets_in(SIX_NEXT) && network.lets_in(GUIDES));
    let path = format!("/api/v1/block-ip/{SIX}");
    assert_eq!(network.operator(|node| node.call("DELETE", &path, "").status), 200);

    let mut beside = network.websocket(SIX_BESIDE);
    let one = format!(r#"{{"cidr":"{SIX}/128"}}"#);
    network.operator(|node| node.done("/api/v1/emergency-block", &one));
    assert!(!network.lets_in(SIX));
    assert!(answers(&mut beside) && network.lets_in(SIX_BESIDE) && network.lets_in(SIX_NEXT));
}

#[test]
fn what_nobody_confirms_is_undone_and_who_was_cut_by_it_comes_back() {
    let Some(network) = Network::new() else { return };
    let older = network.operator(|node| node.block(NEIGHBOUR));
    let (confirmed, waiting) = network.operator(|node| {
        let confirmed = node.done("/api/v1/block-ip", &format!(r#"{{"ip":"{STRANGER}","confirm":2}}"#));
        let path = format!("/api/v1/decisions/{}/confirm", confirmed["id"].as_str().unwrap());
        node.done(&path, "");
        let waiting = node.done("/api/v1/emergency-block", r#"{"cidr":"192.168.0.0/16","confirm":2}"#);
        node.done("/api/v1/block-ip", &format!(r#"{{"ip":"{NEIGHBOUR}","confirm":2}}"#));
        (confirmed, waiting)
    });
    assert!(!network.lets_in(GUIDES) && !network.lets_in(NEIGHBOUR));
    let end = Timestamp::parse(waiting["confirm_by"].as_str().unwrap()).unwrap();
    eventually("the end of what nobody confirmed", || network.lets_in(GUIDES));
    assert!(Timestamp::now() >= end);
    eventually("both undone", || {
        let list = network.operator(|node| node.told("/api/v1/blocked-ips"));
        let left: Vec<&Value> =
            list["blocked_ips"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
        left == [&older["id"], &confirmed["id"]]
    });
    assert!(!network.lets_in(NEIGHBOUR), "the older block of the same address is in force again");
    assert!(!network.lets_in(STRANGER), "confirmed in time");
}
