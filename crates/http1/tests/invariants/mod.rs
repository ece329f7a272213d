//! What must hold for any bytes at all: shared by the property tests and the fuzz targets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

use secbeat_http1::*;

/// At most this many prefixes of an input are tried.
const PREFIXES_MAX: usize = 64;

/// A request reads the same however it is cut; what is accepted, written anew, reads the same; and httparse agrees.
pub fn request(input: &[u8], limits: &Limits) {
    let mut head = RequestHead::new();
    let result = head.parse(input, limits);
    let mut cut = RequestHead::new();
    for prefix in prefixes(input) {
        let early = cut.parse(prefix, limits);
        assert!(early == Ok(Parsed::Partial) || early == result, "{early:?} then {result:?}");
    }
    if result != Ok(Parsed::Complete) {
        return;
    }
    assert!(head.len <= input.len() && head.len <= limits.head_bytes_max as usize);
    let mut written = Vec::new();
    encode::request_line(&mut written, head.method.of(input), head.target.of(input), head.version);
    let length = write_fields(&mut written, input, &head.fields);
    let mut again = RequestHead::new();
    assert_eq!(again.parse(&written, &Limits { head_bytes_max: length, ..roomy() }), Ok(Parsed::Complete));
    assert_eq!(again.len, written.len());
    let facts = |head: &RequestHead, buf: &[u8]| {
        let spans = [Some(head.method), Some(head.target), Some(head.path), head.host, head.upgrade];
        let texts = spans.map(|span| span.map(|span| span.of(buf).to_vec()));
        (texts, head.known_method, head.version, head.framing, head.keep_alive, head.expect_continue)
    };
    assert_eq!(facts(&head, input), facts(&again, &written));
    assert_eq!(fields(&head.fields, input), fields(&again.fields, &written));

    let mut theirs = [httparse::EMPTY_HEADER; 256];
    let mut request = httparse::Request::new(&mut theirs);
    match request.parse(input) {
        Ok(httparse::Status::Complete(len)) => assert_eq!(len, head.len),
        // A target that is not UTF-8 is for the firewall to see, and not one that httparse can hold.
        Err(httparse::Error::Token) if std::str::from_utf8(head.target.of(input)).is_err() => return,
        other => panic!("httparse: {other:?}"),
    }
    assert_eq!(request.method.unwrap().as_bytes(), head.method.of(input));
    assert_eq!(request.path.unwrap().as_bytes(), head.target.of(input));
    assert_eq!(request.version.unwrap(), u8::from(head.version == Version::Http11));
    assert_same_fields(request.headers, &head.fields, input);
}

/// The same for a response.
pub fn response(input: &[u8], method: Method, limits: &Limits) {
    let mut head = ResponseHead::new();
    let result = head.parse(input, method, limits);
    let mut cut = ResponseHead::new();
    for prefix in prefixes(input) {
        let early = cut.parse(prefix, method, limits);
        assert!(early == Ok(Parsed::Partial) || early == result, "{early:?} then {result:?}");
    }
    if result != Ok(Parsed::Complete) {
        return;
    }
    assert!(head.len <= input.len() && head.len <= limits.head_bytes_max as usize);
    let mut written = Vec::new();
    encode::status_line(&mut written, head.status, head.reason.of(input));
    let length = write_fields(&mut written, input, &head.fields);
    let mut again = ResponseHead::new();
    let result = again.parse(&written, method, &Limits { head_bytes_max: length, ..roomy() });
    assert_eq!(result, Ok(Parsed::Complete));
    let facts = |head: &ResponseHead, buf: &[u8]| {
        let upgrade = head.upgrade.map(|span| span.of(buf).to_vec());
        (head.status, head.reason.of(buf).to_vec(), head.framing, head.content_length, upgrade)
    };
    assert_eq!(facts(&head, input), facts(&again, &written));
    assert_eq!(fields(&head.fields, input), fields(&again.fields, &written));

    let mut theirs = [httparse::EMPTY_HEADER; 256];
    let mut response = httparse::Response::new(&mut theirs);
    match response.parse(input) {
        Ok(httparse::Status::Complete(len)) => assert_eq!(len, head.len),
        other => panic!("httparse: {other:?}"),
    }
    assert_eq!(response.code, Some(head.status));
    assert_same_fields(response.headers, &head.fields, input);
}

/// What a body came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Body {
    /// The data.
    pub data: Vec<u8>,
    /// How many bytes of the input were consumed.
    pub consumed: usize,
    /// The trailers.
    pub trailers: Vec<(Vec<u8>, Vec<u8>)>,
    /// How it ended; `Ok(false)`: it has not.
    pub end: Result<bool, BodyError>,
}

/// Decodes `input`, delivered in pieces of `piece` bytes.
pub fn decode(framing: Framing, input: &[u8], piece: usize) -> Body {
    let mut decoder = BodyDecoder::new(framing);
    let mut body = Body { data: Vec::new(), consumed: 0, trailers: Vec::new(), end: Ok(decoder.is_done()) };
    'pieces: for piece in input.chunks(piece.max(1)) {
        let mut at = 0;
        while at < piece.len() && body.end == Ok(false) {
            match decoder.decode(&piece[at..]) {
                Err(error) => {
                    body.end = Err(error);
                    break 'pieces;
                }
                Ok(step) => {
                    assert!(step.data.end <= step.consumed && step.consumed <= piece.len() - at);
                    assert!(step.consumed > 0 || step.state == BodyState::Done);
                    body.data.extend_from_slice(&piece[at..][step.data]);
                    at += step.consumed;
                    body.consumed += step.consumed;
                    body.end = Ok(step.state == BodyState::Done);
                }
            }
        }
    }
    body.trailers = decoder.trailers().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
    body
}

/// Chunks read the same however they are cut; what is accepted, written anew, reads the same; and httparse agrees on
/// the first size.
pub fn chunked(input: &[u8]) {
    let whole = decode(Framing::Chunked, input, input.len());
    for piece in [1, 2, 3, 7, 64] {
        let cut = decode(Framing::Chunked, input, piece);
        assert_eq!((&cut.data, &cut.trailers, &cut.end), (&whole.data, &whole.trailers, &whole.end));
        if whole.end.is_ok() {
            assert_eq!(cut.consumed, whole.consumed);
        }
    }
    if !whole.data.is_empty() {
        let size = httparse::parse_chunk_size(input).expect("httparse refuses a size that was accepted");
        assert!(matches!(size, httparse::Status::Complete((_, size)) if size > 0));
    }
    if whole.end == Ok(true) {
        let mut written = Vec::new();
        for data in whole.data.chunks(1000) {
            written.extend_from_slice(encode::chunk_head(data.len()).as_bytes());
            written.extend_from_slice(data);
            written.extend_from_slice(encode::CHUNK_END);
        }
        let trailers = whole.trailers.iter().map(|(name, value)| (&name[..], &value[..]));
        encode::last_chunk(&mut written, trailers);
        let again = decode(Framing::Chunked, &written, written.len());
        assert_eq!((&again.data, &again.trailers, &again.end), (&whole.data, &whole.trailers, &whole.end));
        assert_eq!(again.consumed, written.len());
    }
}

fn prefixes(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    let step = input.len() / PREFIXES_MAX + 1;
    (0..input.len()).step_by(step).map(|len| &input[..len])
}

/// Limits that a head which passed others passes when it is written anew, with whitespace that it may not have had.
fn roomy() -> Limits {
    Limits {
        head_bytes_max: u32::MAX,
        target_bytes_max: 1 << 20,
        fields_max: 1 << 20,
        field_bytes_max: 1 << 20,
    }
}

fn write_fields(out: &mut Vec<u8>, buf: &[u8], fields: &[Field]) -> u32 {
    for field in fields {
        encode::field(out, field.name.of(buf), field.value.of(buf));
    }
    encode::end_of_head(out);
    u32::try_from(out.len()).unwrap()
}

fn fields<'a>(fields: &[Field], buf: &'a [u8]) -> Vec<(&'a [u8], &'a [u8], Known, bool)> {
    let text = |field: &Field| (field.name.of(buf), field.value.of(buf), field.known, field.hop_by_hop);
    fields.iter().map(text).collect()
}

fn assert_same_fields(theirs: &[httparse::Header], ours: &[Field], buf: &[u8]) {
    let ours: Vec<_> = ours.iter().map(|field| (field.name.of(buf), field.value.of(buf))).collect();
    let theirs: Vec<_> = theirs.iter().map(|field| (field.name.as_bytes(), field.value)).collect();
    assert_eq!(ours, theirs);
}
