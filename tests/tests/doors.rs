//! The ways into the API: its port, its Unix socket, none at all; and the tokens that are kept in files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::netns::Namespace;
use secbeat_tests::node::{command, shell};
use secbeat_tests::{Client, Node, Origin, Setup, eventually};
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::process::Stdio;

/// The status of a call through the socket, as curl(1) makes it.
fn through_socket(node: &Node, rest: &str) -> String {
    let line = format!("curl -s -o /dev/null -w '%{{http_code}}' --unix-socket api.sock {rest}");
    let (ran, said) = shell(node.setup.dir.path(), &line);
    assert!(ran, "{said}");
    said
}

#[test]
fn whoever_may_open_the_unix_socket_may_make_every_call() {
    let origin = Origin::echo();
    let mut node = Setup::before(&origin).text("metrics.unix_socket", "api.sock").start();
    let socket = fs::metadata(node.setup.path("api.sock")).unwrap();
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.permissions().mode() & 0o777, 0o660);
    assert_eq!(through_socket(&node, "http://localhost/api/v1/status"), "200");
    let block = r#"-d '{"ip":"203.0.113.9"}' http://localhost/api/v1/block-ip"#;
    assert_eq!(through_socket(&node, block), "200");
    assert_eq!(node.call("GET", "/api/v1/blocked-ips", "").json()["total"], 1, "it is the same API");

    // A node that was killed leaves its socket behind, and takes it over again.
    node.kill();
    assert!(node.setup.path("api.sock").exists());
    node.start_again();
    assert_eq!(through_socket(&node, "http://localhost/readyz"), "200");
    node.signal(rustix::process::Signal::TERM);
    assert!(node.wait_for_end().success());
    assert!(!node.setup.path("api.sock").exists());
}

#[test]
fn a_node_without_an_api_serves_its_site() {
    let origin = Origin::echo();
    let setup = Setup::before(&origin).set("metrics.enable", false);
    setup.write();
    let log = fs::File::create(setup.path("stderr.log")).unwrap();
    let mut node =
        command(&setup).arg("--stop-with-parent").stdin(Stdio::piped()).stderr(log).spawn().unwrap();
    eventually("the site", || TcpStream::connect(setup.address).is_ok());
    assert_eq!(Client::connect(setup.address).get("/").status, 200);
    assert!(TcpStream::connect(setup.api).is_err(), "nobody listens there");
    drop(node.stdin.take());
    assert!(node.wait().unwrap().success());
}

#[test]
fn tokens_are_read_from_their_files_and_again_at_a_reload() {
    let Some(namespace) = Namespace::new() else { return };
    // A second address of the machine: to a peer from it, we are elsewhere.
    assert!(namespace.ip(&["addr", "add", "192.0.2.10/32", "dev", "lo"]));
    let origin = Origin::echo();
    let setup = Setup::before(&origin)
        .wrapped_in(&namespace.wrapper())
        .text("metrics.bind_address", "0.0.0.0:9191")
        .text("server.bind_address", "0.0.0.0:8443")
        .text("metrics.api_token_file", "all")
        .text("metrics.viewer_token_file", "viewer");
    let (all, viewer, new) = ("0123456789abcdef", "fedcba9876543210", "00112233445566778899");
    fs::write(setup.path("all"), format!("{all}\n")).unwrap();
    fs::write(setup.path("viewer"), format!("{viewer}\r\n")).unwrap();
    setup.write();
    let log = fs::File::create(setup.path("stderr.log")).unwrap();
    let mut node =
        command(&setup).arg("--stop-with-parent").stdin(Stdio::piped()).stderr(log).spawn().unwrap();
    namespace.inside(|| {
        let api: SocketAddr = "192.0.2.10:9191".parse().unwrap();
        eventually("the node", || TcpStream::connect(api).is_ok());
        let status = |method: &str, path: &str, token: &str| {
            let fields = format!("Host: {api}\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n");
            let request = format!("{method} {path} HTTP/1.1\r\n{fields}Connection: close\r\n\r\n");
            Client::connect(api).ask(request).status
        };
        assert_eq!(status("GET", "/api/v1/status", viewer), 200);
        assert_eq!(status("POST", "/api/v1/reload", viewer), 403);
        assert_eq!(status("GET", "/api/v1/status", new), 401);
        fs::write(setup.path("viewer"), new).unwrap();
        assert_eq!(status("POST", "/api/v1/reload", all), 200);
        assert_eq!(
            (status("GET", "/api/v1/status", new), status("GET", "/api/v1/status", viewer)),
            (200, 401)
        );
    });
    drop(node.stdin.take());
    assert!(node.wait().unwrap().success());
}
