//! Where bodies end, and each way for chunks to be refused.
#![allow(clippy::unwrap_used, clippy::panic)]

use secbeat_http1::*;

/// The data, the trailers, and what was left of the input.
fn decode(framing: Framing, input: &[u8]) -> Result<(Vec<u8>, String, &[u8]), BodyError> {
    let (mut decoder, mut rest, mut data) = (BodyDecoder::new(framing), input, Vec::new());
    loop {
        let step = decoder.decode(rest)?;
        data.extend_from_slice(&rest[step.data]);
        rest = &rest[step.consumed..];
        if step.state == BodyState::Done {
            assert!(decoder.is_done());
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let trailers = decoder.trailers().map(|(name, value)| format!("{}={};", text(name), text(value)));
            return Ok((data, trailers.collect(), rest));
        }
        if rest.is_empty() {
            return decoder.close().map(|()| (data, String::new(), rest));
        }
    }
}

fn chunks(input: &str) -> Result<String, BodyError> {
    decode(Framing::Chunked, input.as_bytes()).map(|(data, ..)| String::from_utf8(data).unwrap())
}

#[test]
fn a_body_of_a_known_length_ends_there() {
    assert_eq!(decode(Framing::None, b"GET").unwrap(), (vec![], String::new(), &b"GET"[..]));
    assert_eq!(decode(Framing::Length(0), b"").unwrap().0, b"");
    assert_eq!(decode(Framing::Length(3), b"abcGET").unwrap(), (b"abc".to_vec(), String::new(), &b"GET"[..]));
    assert_eq!(decode(Framing::Length(4), b"abc"), Err(BodyError::Truncated));
    assert_eq!(decode(Framing::UntilClose, b"abc").unwrap().0, b"abc");
    let mut decoder = BodyDecoder::new(Framing::Length(u64::MAX));
    decoder.decode(b"abc").unwrap();
    assert_eq!(decoder.remaining(), Some(u64::MAX - 3));
}

#[test]
fn chunks_are_joined_and_what_follows_is_left() {
    let input = b"4\r\nWiki\r\n6\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\n\r\nGET / ";
    let (data, trailers, rest) = decode(Framing::Chunked, input).unwrap();
    assert_eq!(data, b"Wikipedia in \r\n\r\nchunks.");
    assert_eq!((trailers.as_str(), rest), ("", &b"GET / "[..]));
    assert_eq!(chunks("000A\r\n0123456789\r\n0000000000000000\r\n\r\n").unwrap(), "0123456789");
}

#[test]
fn extensions_are_read_and_dropped() {
    let ok = ["3;a", "3;a=b", "3;a=\"b \\\" \t\\\\c;\";d=e", "3;chunk-signature=0123abcdef"];
    for head in ok {
        assert_eq!(chunks(&format!("{head}\r\nabc\r\n0;x\r\n\r\n")).unwrap(), "abc", "{head:?}");
    }
    let wrong = [
        "3;",
        "3;;a",
        "3;=b",
        "3;a=",
        "3;a= b",
        "3 ;a",
        "3; a",
        "3;a b",
        "3;a=\"b",
        "3;a=\"b\"c",
        "3;a=(",
        "3;a=\"\0\"",
    ];
    for head in wrong {
        let name = chunks(&format!("{head}\r\nabc\r\n0\r\n\r\n")).unwrap_err().name();
        let expected = if head == "3 ;a" { "invalid_chunk_size" } else { "invalid_chunk_extension" };
        assert_eq!(name, expected, "{head:?}");
    }
    let longest = format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(255));
    assert!(chunks(&longest).is_ok());
    assert_eq!(chunks(&longest.replace(';', ";x")), Err(BodyError::ChunkExtensionTooLong));
}

#[test]
fn chunks_that_are_not_chunks_are_refused_by_name() {
    for (input, name) in [
        ("\r\n", "invalid_chunk_size"),
        ("g\r\n", "invalid_chunk_size"),
        ("0x3\r\nabc", "invalid_chunk_size"),
        ("-1\r\n", "invalid_chunk_size"),
        ("+3\r\n", "invalid_chunk_size"),
        (" 3\r\n", "invalid_chunk_size"),
        ("3 \r\n", "invalid_chunk_size"),
        ("3\t\r\n", "invalid_chunk_size"),
        ("00000000000000003\r\n", "chunk_size_overflow"),
        ("10000000000000000\r\n", "chunk_size_overflow"),
        ("8000000000000000\r\n", "chunk_size_overflow"),
        ("ffffffffffffffff\r\n", "chunk_size_overflow"),
        ("3\nabc", "bare_line_feed_in_chunk"),
        ("3;a\nabc", "bare_line_feed_in_chunk"),
        ("3;a=\"\n\"\r\nabc", "bare_line_feed_in_chunk"),
        ("\n", "bare_line_feed_in_chunk"),
        ("3\rabc", "bare_carriage_return_in_chunk"),
        ("3\r\nabcd", "missing_chunk_end"),
        ("3\r\nabc\n0\r\n\r\n", "missing_chunk_end"),
        ("3\r\nabc\r0", "missing_chunk_end"),
        ("3\r\nabc0\r\n\r\n", "missing_chunk_end"),
        ("0\r\nA : b\r\n\r\n", "space_before_colon"),
        ("0\r\nA: b\n\r\n", "bare_line_feed"),
        ("0\r\n\n", "bare_line_feed"),
        ("0\r\nA: b\r\n c\r\n\r\n", "line_folding"),
        ("0\r\nA: b\rc\r\n\r\n", "bare_carriage_return"),
        ("0\r\n\rx", "bare_carriage_return"),
        ("3\r\nabc\r\n", "truncated_body"),
        ("3\r\nabc\r\n0\r\n", "truncated_body"),
    ] {
        assert_eq!(chunks(input).unwrap_err().name(), name, "{input:?}");
    }
    let largest = chunks("7fffffffffffffff\r\nabc");
    assert_eq!(largest, Err(BodyError::Truncated));
}

#[test]
fn trailers_are_kept_and_none_of_them_is_special() {
    let (_, trailers, rest) = decode(Framing::Chunked, b"0\r\nA: b\r\nc:\td e \r\n\r\nrest").unwrap();
    assert_eq!((trailers.as_str(), rest), ("A=b;c=d e;", &b"rest"[..]));
    for name in Known::ALL {
        let input = format!("0\r\n{}: 1\r\n\r\n", name.as_str());
        assert_eq!(chunks(&input), Err(BodyError::ForbiddenTrailer), "{name:?}");
        let mimic = input.replace('-', "_");
        assert_eq!(chunks(&mimic), Err(BodyError::ForbiddenTrailer), "{mimic:?}");
    }
    assert!(chunks("0\r\nX_Api_Key: 1\r\n\r\n").is_ok());
    assert!(chunks(&format!("0\r\n{}\r\n", "a: b\r\n".repeat(32))).is_ok());
    assert_eq!(chunks(&format!("0\r\n{}\r\n", "a: b\r\n".repeat(33))), Err(BodyError::TrailersTooLarge));
    assert!(chunks(&format!("0\r\na: {}\r\n\r\n", "b".repeat(4096 - 7))).is_ok());
    assert_eq!(
        chunks(&format!("0\r\na: {}\r\n\r\n", "b".repeat(4096 - 6))),
        Err(BodyError::TrailersTooLarge)
    );
}

#[test]
fn many_small_chunks_pass_and_many_small_chunks_with_extensions_do_not() {
    let plain = "1\r\na\r\n".repeat(10_000);
    assert_eq!(chunks(&format!("{plain}0\r\n\r\n")).unwrap().len(), 10_000);
    let padded = format!("1;{}\r\na\r\n", "x".repeat(200)).repeat(1000);
    assert_eq!(chunks(&format!("{padded}0\r\n\r\n")), Err(BodyError::ChunkOverhead));
    let signed = format!("400;chunk-signature={}\r\n{}\r\n", "f".repeat(64), "d".repeat(1024)).repeat(1000);
    assert_eq!(chunks(&format!("{signed}0\r\n\r\n")).unwrap().len(), 1_024_000);
}

#[test]
fn an_error_stays() {
    let mut decoder = BodyDecoder::new(Framing::Chunked);
    assert!(decoder.decode(b"x").is_err());
    assert_eq!(decoder.decode(b"0\r\n\r\n"), Err(BodyError::InvalidChunkSize(b'x')));
    assert!(!decoder.is_done());
}
