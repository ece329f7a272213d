//! What a request's head says, and each way to be refused.
#![allow(clippy::unwrap_used, clippy::panic)]

use secbeat_http1::*;

/// A head with `Host: a` and these lines behind it.
fn with(lines: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n")
}

fn parse(text: &str) -> Result<RequestHead, RequestError> {
    let mut head = RequestHead::new();
    match head.parse(text.as_bytes(), &Limits::default())? {
        Parsed::Complete => Ok(head),
        Parsed::Partial => panic!("{text:?} is not a whole head"),
    }
}

fn error_of(text: &str) -> &'static str {
    match parse(text) {
        Ok(head) => panic!("{text:?} was accepted as {head:?}"),
        Err(error) => error.name(),
    }
}

fn hop_by_hop(text: &str) -> Vec<&str> {
    let head = parse(text).unwrap();
    let names =
        head.fields.iter().filter(|field| field.hop_by_hop).map(|field| field.name.of(text.as_bytes()));
    names.map(|name| std::str::from_utf8(name).unwrap()).collect()
}

#[test]
fn a_usual_request_is_read() {
    let text = "GET /a?b=c HTTP/1.1\r\nHost: example.com:80\r\nUser-Agent:wrk\r\nX-Empty:\r\n\r\nrest";
    let head = parse(text).unwrap();
    let of = |span: Span| std::str::from_utf8(span.of(text.as_bytes())).unwrap();
    assert_eq!((of(head.method), head.known_method), ("GET", Method::Get));
    assert_eq!((of(head.target), of(head.path)), ("/a?b=c", "/a?b=c"));
    assert_eq!((head.version, head.framing), (Version::Http11, Framing::None));
    assert_eq!(head.host.map(of), Some("example.com:80"));
    assert!(head.keep_alive && !head.expect_continue && head.upgrade.is_none() && head.is_tokenised());
    assert_eq!(head.len, text.len() - "rest".len());
    let fields: Vec<_> =
        head.fields.iter().map(|field| (of(field.name), of(field.value), field.known)).collect();
    assert_eq!(
        fields,
        [
            ("Host", "example.com:80", Known::Host),
            ("User-Agent", "wrk", Known::UserAgent),
            ("X-Empty", "", Known::Other)
        ]
    );
}

#[test]
fn what_an_attack_puts_in_a_target_reaches_the_firewall() {
    for target in ["/?q=<script>\"x\"</script>", "/{}|^`\\", "/\u{e9}\u{feff}", "/'--%00%zz"] {
        let text = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(parse(&text).unwrap().target.of(text.as_bytes()), target.as_bytes());
    }
}

#[test]
fn one_empty_line_before_a_request_is_ignored() {
    let text = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(parse(text).unwrap().len, text.len());
    assert_eq!(error_of(&format!("\r\n{text}")), "empty_lines");
    assert_eq!(error_of("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), "bare_line_feed");
}

#[test]
fn a_request_line_that_is_not_one_is_refused_by_name() {
    for (line, name) in [
        ("\u{16}\u{3}\u{1}", "tls_on_plain_port"),
        ("(GET / HTTP/1.1\r\n", "invalid_method"),
        ("\u{80}", "invalid_method"),
        (" GET / HTTP/1.1\r\n", "extra_space_in_request_line"),
        ("GET  / HTTP/1.1\r\n", "extra_space_in_request_line"),
        ("GET /  HTTP/1.1\r\n", "extra_space_in_request_line"),
        ("GET / HTTP/1.1 \r\n", "extra_space_in_request_line"),
        ("GET\t/ HTTP/1.1\r\n", "extra_space_in_request_line"),
        ("GET /\t HTTP/1.1\r\n", "invalid_target"),
        ("GET /\u{7f} HTTP/1.1\r\n", "invalid_target"),
        ("GET /\0 HTTP/1.1\r\n", "invalid_target"),
        ("GET / a HTTP/1.1\r\n", "invalid_version"),
        ("GET /\r\n", "missing_version"),
        ("GET / \r\n", "missing_version"),
        ("GET\r\n", "missing_version"),
        ("GET / HTTP/1.1\n", "bare_line_feed"),
        ("GET /\n", "bare_line_feed"),
        ("GET / HTTP/1.1\rx", "bare_carriage_return"),
        ("GET / http/1.1\r\n", "invalid_version"),
        ("GET / HTTP/11\r\n", "invalid_version"),
        ("GET / HTTP/1.11\r\n", "invalid_version"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http2_preface"),
        ("GET / HTTP/1.1\r\n Host: a\r\n", "line_folding"),
    ] {
        assert_eq!(error_of(line), name, "{line:?}");
    }
    assert_eq!(error_of(&"M".repeat(33)), "method_too_long");
    for version in ["0.9", "1.2", "2.0", "3.0"] {
        assert_eq!(error_of(&format!("GET / HTTP/{version}\r\nHost: a\r\n\r\n")), "unsupported_version");
    }
}

#[test]
fn the_length_of_a_body_has_one_reading() {
    for (lines, framing) in [
        ("", Framing::None),
        ("Content-Length: 5\r\n", Framing::Length(5)),
        ("content-length:0\r\n", Framing::Length(0)),
        ("Transfer-Encoding: chunked\r\n", Framing::Chunked),
        ("transfer-encoding:\tCHUNKED \r\n", Framing::Chunked),
    ] {
        assert_eq!(parse(&with(lines)).unwrap().framing, framing, "{lines:?}");
    }
    for (lines, name) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "content_length_and_transfer_encoding"),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "content_length_and_transfer_encoding"),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", "duplicate_content_length"),
        ("Content-Length: 5, 5\r\n", "content_length_list"),
        ("Content-Length: +5\r\n", "invalid_content_length"),
        ("Content-Length:\r\n", "invalid_content_length"),
        ("Content-Length: 99999999999999999999\r\n", "content_length_overflow"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "duplicate_transfer_encoding"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "duplicate_transfer_encoding"),
        ("Transfer-Encoding: gzip, chunked\r\n", "invalid_transfer_encoding"),
        ("Transfer-Encoding: \u{b}chunked\r\n", "invalid_field_value"),
        ("Transfer-Encoding : chunked\r\n", "space_before_colon"),
        ("Transfer-Encoding: identity\r\n", "unsupported_transfer_encoding"),
        ("Transfer-Encoding:\r\n chunked\r\n", "line_folding"),
    ] {
        assert_eq!(error_of(&with(lines)), name, "{lines:?}");
    }
    let old = "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(error_of(old), "transfer_encoding_on_http_1_0");
}

#[test]
fn there_is_one_host() {
    for (text, name) in [
        ("GET / HTTP/1.1\r\n\r\n", "missing_host"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "duplicate_host"),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "duplicate_host"),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", "invalid_host"),
        ("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "invalid_host"),
        ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "invalid_host"),
        ("GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", "invalid_host"),
        ("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "host_disagrees_with_target"),
        ("GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", "host_disagrees_with_target"),
        ("GET http://a/ HTTP/1.1\r\n\r\n", "missing_host"),
        ("GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n", "invalid_target_form"),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", "asterisk_without_options"),
        ("GET a HTTP/1.1\r\nHost: a\r\n\r\n", "invalid_target_form"),
        ("GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", "fragment_in_target"),
        ("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "connect_not_supported"),
    ] {
        assert_eq!(error_of(text), name, "{text:?}");
    }
    assert_eq!(parse("GET / HTTP/1.0\r\n\r\n").unwrap().host, None);
}

#[test]
fn an_absolute_form_is_asked_for_as_its_path() {
    for (target, path) in [("http://A/b?c", "/b?c"), ("http://a", "/"), ("https://a?b", "/?b"), ("/x", "/x")]
    {
        let text = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(parse(&text).unwrap().origin_form(text.as_bytes()), path.as_bytes());
    }
    let text = "GET http://a/b HTTP/1.0\r\n\r\n";
    assert_eq!(parse(text).unwrap().host.unwrap().of(text.as_bytes()), b"a");
    let text = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(parse(text).unwrap().origin_form(text.as_bytes()), &b"*"[..]);
}

#[test]
fn a_refused_head_can_still_be_shown() {
    let text = "GET /<script> HTTP/1.1\r\nHost: a\r\nHost: b\r\nX: y\r\n\r\n";
    let mut head = RequestHead::new();
    assert_eq!(head.parse(text.as_bytes(), &Limits::default()), Err(RequestError::DuplicateHost));
    assert!(head.is_tokenised());
    assert_eq!((head.target.of(text.as_bytes()), head.fields.len()), (&b"/<script>"[..], 3));

    let text = "GET /<script> HTTP/1.2\r\nHost: a\r\n\r\n";
    assert_eq!(head.parse(text.as_bytes(), &Limits::default()), Err(RequestError::UnsupportedVersion(1, 2)));
    assert!(head.is_tokenised() && head.fields.len() == 1);
    assert_eq!(head.protocol(text.as_bytes()), b"HTTP/1.2");

    let text = "GET /<script> HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n";
    assert!(head.parse(text.as_bytes(), &Limits::default()).is_err());
    assert!(!head.is_tokenised());
    assert_eq!((head.target.of(text.as_bytes()), head.fields.len()), (&b"/<script>"[..], 1));
}

#[test]
fn a_connection_lasts_as_its_version_and_options_say() {
    for (version, connection, keep_alive) in [
        ("1.1", "", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.1", "Connection: keep-alive, Close\r\n", false),
        ("1.1", "Connection: keep-alive\r\nConnection: close\r\n", false),
        ("1.0", "", false),
        ("1.0", "Connection: , Keep-Alive\r\n", true),
        ("1.0", "Connection: keep-alive, close\r\n", false),
    ] {
        let text = format!("GET / HTTP/{version}\r\nHost: a\r\n{connection}\r\n");
        assert_eq!(parse(&text).unwrap().keep_alive, keep_alive, "{text:?}");
    }
}

#[test]
fn fields_for_the_next_hop_are_marked_and_no_others() {
    let lines =
        "Connection: x-a, te\r\nX-A: 1\r\nx-a: 2\r\nX-B: 3\r\nTE: trailers\r\nKeep-Alive: 5\r\nProxy: x\r\n";
    assert_eq!(hop_by_hop(&with(lines)), ["Connection", "X-A", "x-a", "TE", "Keep-Alive", "Proxy"]);
    for name in ["Host", "content-length", "Cookie", "X-Forwarded-For", "Authorization"] {
        let lines = format!("Connection: close, {name}\r\n");
        assert_eq!(error_of(&with(&lines)), "connection_names_end_to_end_field");
    }
    assert_eq!(error_of(&with("Connection: a b\r\n")), "invalid_connection");
    let many = format!("Connection: {}\r\n", ["x"; 17].join(","));
    assert_eq!(error_of(&with(&many)), "too_many_connection_options");
}

#[test]
fn a_field_that_a_backend_would_take_for_another_is_refused() {
    for name in ["Content_Length", "X_Forwarded-For", "transfer_encoding"] {
        assert_eq!(error_of(&with(&format!("{name}: 5\r\n"))), "mimicked_field");
    }
    assert!(parse(&with("X_Api_Key: 5\r\n")).is_ok());
}

#[test]
fn a_second_content_type_is_refused_even_where_it_says_the_same() {
    for lines in [
        "Content-Type: text/plain\r\ncontent-type: application/json\r\n",
        "Content-Type: text/plain\r\nX: y\r\nContent-Type: text/plain\r\n",
        "Content-Type:\r\nContent-Type: application/json\r\n",
    ] {
        assert_eq!(error_of(&with(lines)), "duplicate_content_type", "{lines:?}");
    }
    assert!(parse(&with("Content-Type: text/plain\r\n")).is_ok());
}

#[test]
fn an_upgrade_is_passed_on_only_where_it_is_one() {
    let upgrade = |lines: &str| {
        let text = with(lines);
        parse(&text)
            .unwrap()
            .upgrade
            .map(|span| String::from_utf8(span.of(text.as_bytes()).to_vec()).unwrap())
    };
    assert_eq!(upgrade("Connection: Upgrade\r\nUpgrade: websocket\r\n").as_deref(), Some("websocket"));
    for lines in [
        "Upgrade: websocket\r\n",
        "Connection: upgrade\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n",
        "Connection: upgrade\r\nUpgrade: websocket, h2c\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: x\r\n",
        "Connection: upgrade, http2-settings\r\nUpgrade: H2C\r\nHTTP2-Settings: AAMA\r\n",
        "Connection: upgrade\r\nUpgrade: h2c/1\r\n",
    ] {
        assert_eq!(upgrade(lines), None, "{lines:?}");
    }
    let h2c = "Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n";
    assert_eq!(hop_by_hop(&with(h2c)), ["Connection", "Upgrade", "HTTP2-Settings"]);
}

#[test]
fn the_one_expectation_is_100_continue() {
    let expects = |lines: &str| parse(&with(lines)).unwrap().expect_continue;
    assert!(expects("Expect: 100-Continue\r\nContent-Length: 1\r\n"));
    assert!(!expects("Expect: 100-continue\r\n"));
    assert!(!expects("Expect: 100-continue\r\nContent-Length: 0\r\n"));
    assert_eq!(error_of(&with("Expect: 200-ok\r\n")), "unknown_expectation");
    assert_eq!(error_of(&with("Expect: 100-continue, x\r\n")), "unknown_expectation");
    assert_eq!(error_of(&with("Expect: 100-continue\r\nExpect: 100-continue\r\n")), "unknown_expectation");
    assert_eq!(parse(&with("Expect: x\r\n")).unwrap_err().status(), 417);
    let old = "POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: x\r\n\r\n";
    assert!(!parse(old).unwrap().expect_continue);
}

#[test]
fn each_limit_may_be_reached_and_has_its_own_error() {
    let head = |target: usize, value: usize, fields: usize| {
        let field = format!("X: {}\r\n", "v".repeat(value));
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n{}\r\n", "t".repeat(target - 1), field.repeat(fields))
    };
    let limits = Limits { head_bytes_max: 120, target_bytes_max: 20, fields_max: 4, field_bytes_max: 30 };
    let parse = |text: &str| RequestHead::new().parse(text.as_bytes(), &limits);
    assert_eq!(parse(&head(20, 27, 1)), Ok(Parsed::Complete));
    assert_eq!(parse(&head(21, 1, 1)).unwrap_err().status(), 414);
    assert_eq!(parse(&head(1, 28, 1)), Err(FieldError::FieldTooLarge(30).into()));
    assert_eq!(parse(&head(1, 1, 3)), Ok(Parsed::Complete));
    assert_eq!(parse(&head(1, 1, 4)), Err(FieldError::TooManyFields(4).into()));
    let (exact, longer) = (head(19, 20, 3), head(20, 20, 3));
    assert_eq!((exact.len(), longer.len()), (120, 121));
    assert_eq!(parse(&exact), Ok(Parsed::Complete));
    assert_eq!(parse(&longer), Err(FieldError::HeadTooLarge(120).into()));
}

#[test]
fn a_head_that_never_ends_is_refused_at_its_limit() {
    let mut text = b"GET / HTTP/1.1\r\n".to_vec();
    while text.len() < 40_000 {
        text.extend_from_slice(format!("X: {}\r\n", "v".repeat(1000)).as_bytes());
    }
    let mut head = RequestHead::new();
    assert_eq!(head.parse(&text[..32_767], &Limits::default()), Ok(Parsed::Partial));
    assert_eq!(head.parse(&text[..32_768], &Limits::default()), Err(FieldError::HeadTooLarge(32_768).into()));
}

#[test]
fn a_head_that_is_reused_remembers_nothing() {
    let (good, limits) = (&b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\n\r\n"[..], Limits::default());
    let mut fresh = RequestHead::new();
    assert_eq!(fresh.parse(good, &limits), Ok(Parsed::Complete));
    let mut head = RequestHead::new();
    let before =
        &b"POST http://b/c HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\nX: y\r\n\r\n"[..];
    assert_eq!(head.parse(before, &limits), Ok(Parsed::Complete));
    assert_eq!(head.parse(good, &limits), Ok(Parsed::Complete));
    assert_eq!(head, fresh);
    assert!(head.parse(b"GET / HTTP/1.2\r\nA: b\r\n\r\n", &limits).is_err());
    assert_eq!(head.parse(good, &limits), Ok(Parsed::Complete));
    assert_eq!(head, fresh);
    assert_eq!(head.parse(&before[..70], &limits), Ok(Parsed::Partial));
    assert_eq!(head.parse(good, &limits), Ok(Parsed::Complete));
    assert_eq!(head, fresh);
}
