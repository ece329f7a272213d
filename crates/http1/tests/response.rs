//! What a response's head says, and each way to be refused.
#![allow(clippy::unwrap_used, clippy::panic)]

use secbeat_http1::*;

fn parse(text: &str, method: Method) -> Result<ResponseHead, ResponseError> {
    let mut head = ResponseHead::new();
    match head.parse(text.as_bytes(), method, &Limits::default())? {
        Parsed::Complete => Ok(head),
        Parsed::Partial => panic!("{text:?} is not a whole head"),
    }
}

fn head_of(status: u16, lines: &str) -> ResponseHead {
    parse(&format!("HTTP/1.1 {status} X\r\n{lines}\r\n"), Method::Get).unwrap()
}

fn error_of(text: &str) -> &'static str {
    let error = parse(text, Method::Get).unwrap_err();
    assert_eq!(error.status(), 502);
    error.name()
}

#[test]
fn a_usual_response_is_read() {
    let text = "HTTP/1.1 404 Not Found\r\nServer: nginx\r\nContent-Length: 5\r\n\r\nhello";
    let head = parse(text, Method::Get).unwrap();
    assert_eq!((head.version, head.status), (Version::Http11, 404));
    assert_eq!(head.reason.of(text.as_bytes()), b"Not Found");
    assert_eq!((head.framing, head.content_length), (Framing::Length(5), Some(5)));
    assert!(head.keep_alive && !head.is_interim());
    assert_eq!(head.len, text.len() - 5);
    assert_eq!(head.value(text.as_bytes(), Known::Server), Some(&b"nginx"[..]));
}

#[test]
fn a_reason_may_be_empty_absent_or_in_latin_1() {
    for (line, reason) in [("200 ", &b""[..]), ("200", b""), ("200 \u{fffd}\t!", "\u{fffd}\t!".as_bytes())] {
        let text = format!("HTTP/1.0 {line}\r\n\r\n");
        let head = parse(&text, Method::Get).unwrap();
        assert_eq!((head.reason.of(text.as_bytes()), head.version), (reason, Version::Http10));
    }
}

#[test]
fn a_status_line_that_is_not_one_is_refused_by_name() {
    for (line, name) in [
        ("\r\nHTTP/1.1 200 OK\r\n", "invalid_response_version"),
        ("HTTP/2.0 200 OK\r\n", "invalid_response_version"),
        ("HTTP/1.2 200 OK\r\n", "invalid_response_version"),
        ("ICY 200 OK\r\n", "invalid_response_version"),
        ("HTTP/1.1  200 OK\r\n", "invalid_status"),
        ("HTTP/1.1\t200 OK\r\n", "invalid_status"),
        ("HTTP/1.1 20 OK\r\n", "invalid_status"),
        ("HTTP/1.1 099 OK\r\n", "invalid_status"),
        ("HTTP/1.1 2000 OK\r\n", "invalid_status"),
        ("HTTP/1.1 200\tOK\r\n", "invalid_status"),
        ("HTTP/1.1 200 O\0K\r\n", "invalid_reason"),
        ("HTTP/1.1 200 OK\n", "bare_line_feed"),
        ("HTTP/1.1 200\n", "bare_line_feed"),
        ("HTTP/1.1 200 OK\rX", "bare_carriage_return"),
        ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "space_before_colon"),
        ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "line_folding"),
    ] {
        assert_eq!(error_of(line), name, "{line:?}");
    }
}

#[test]
fn where_the_body_ends_follows_the_rfc() {
    let length = "Content-Length: 5\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    assert_eq!(head_of(200, length).framing, Framing::Length(5));
    assert_eq!(head_of(200, chunked).framing, Framing::Chunked);
    assert_eq!(head_of(200, "").framing, Framing::UntilClose);
    for (status, lines) in
        [(204, ""), (204, length), (304, length), (304, chunked), (103, ""), (100, ""), (101, "")]
    {
        assert_eq!(head_of(status, lines).framing, Framing::None, "{status} {lines:?}");
    }
    for lines in [length, chunked, ""] {
        let text = format!("HTTP/1.1 200 OK\r\n{lines}\r\n");
        assert_eq!(parse(&text, Method::Head).unwrap().framing, Framing::None);
    }
    assert_eq!(head_of(304, length).content_length, Some(5));
    assert_eq!(parse("HTTP/1.0 200 OK\r\n\r\n", Method::Get).unwrap().framing, Framing::UntilClose);
}

#[test]
fn an_ambiguous_length_is_refused_by_name() {
    for (lines, name) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "content_length_and_transfer_encoding"),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", "duplicate_content_length"),
        ("Content-Length: 5, 5\r\n", "content_length_list"),
        ("Content-Length: -1\r\n", "invalid_content_length"),
        ("Transfer-Encoding: gzip, chunked\r\n", "invalid_transfer_encoding"),
        ("Transfer-Encoding: gzip\r\n", "unsupported_transfer_encoding"),
        ("Connection: content-length\r\n", "connection_names_end_to_end_field"),
    ] {
        assert_eq!(error_of(&format!("HTTP/1.1 200 OK\r\n{lines}\r\n")), name, "{lines:?}");
    }
    let chunked = "Transfer-Encoding: chunked\r\n\r\n";
    assert_eq!(error_of(&format!("HTTP/1.0 200 OK\r\n{chunked}")), "transfer_encoding_on_http_1_0");
    for status in [100, 101, 199, 204] {
        let text = format!("HTTP/1.1 {status} X\r\n{chunked}");
        assert_eq!(error_of(&text), "transfer_encoding_without_body");
    }
}

#[test]
fn a_connection_is_used_again_only_where_the_next_answer_begins_at_a_known_place() {
    let length = "Content-Length: 0\r\n";
    assert!(head_of(200, length).keep_alive);
    assert!(head_of(204, length).keep_alive && head_of(304, "Content-Length: 9\r\n").keep_alive);
    assert!(!head_of(204, "Content-Length: 9\r\n").keep_alive);
    assert!(!head_of(200, "").keep_alive);
    assert!(!head_of(200, &format!("{length}Connection: close\r\n")).keep_alive);
    let old =
        |lines| parse(&format!("HTTP/1.0 200 OK\r\n{length}{lines}\r\n"), Method::Get).unwrap().keep_alive;
    assert!(old("Connection: keep-alive\r\n") && !old(""));
}

#[test]
fn interim_heads_are_told_from_final_ones() {
    let text = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let first = parse(text, Method::Get).unwrap();
    assert!(first.is_interim());
    assert_eq!(parse(&text[first.len..], Method::Get).unwrap().status, 200);
    let switching = "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    let head = parse(switching, Method::Get).unwrap();
    assert!(!head.is_interim());
    assert_eq!(head.upgrade.unwrap().of(switching.as_bytes()), b"websocket");
    assert_eq!(head_of(200, "Connection: upgrade\r\nUpgrade: h2c\r\n").upgrade, None);
}
