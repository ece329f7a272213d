//! What holds for any input: see [`invariants`].
#![allow(clippy::unwrap_used)]

mod invariants;
mod soup;

use proptest::prelude::*;
use secbeat_http1::*;

const TIGHT: Limits = Limits { head_bytes_max: 64, target_bytes_max: 8, fields_max: 3, field_bytes_max: 24 };

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_read_the_same_however_they_are_cut_and_written(input in soup::request_head()) {
        invariants::request(&input, &Limits::default());
        invariants::request(&input, &TIGHT);
    }

    #[test]
    fn responses_read_the_same_however_they_are_cut_and_written(input in soup::response_head()) {
        invariants::response(&input, Method::Get, &Limits::default());
        invariants::response(&input, Method::Head, &TIGHT);
    }

    #[test]
    fn chunks_read_the_same_however_they_are_cut_and_written(input in soup::chunks()) {
        invariants::chunked(&input);
    }

    #[test]
    fn any_bytes_at_all_are_read_without_harm(input: Vec<u8>) {
        invariants::request(&input, &Limits::default());
        invariants::response(&input, Method::Get, &Limits::default());
        invariants::chunked(&input);
    }

    #[test]
    fn what_is_written_in_chunks_is_read_back(data: Vec<u8>, chunk in 1_usize..40, piece in 1_usize..40) {
        let mut written = Vec::new();
        for part in data.chunks(chunk) {
            written.extend_from_slice(encode::chunk_head(part.len()).as_bytes());
            written.extend_from_slice(part);
            written.extend_from_slice(encode::CHUNK_END);
        }
        written.extend_from_slice(encode::LAST_CHUNK);
        let body = invariants::decode(Framing::Chunked, &written, piece);
        prop_assert_eq!((body.data, body.consumed, body.end), (data, written.len(), Ok(true)));
    }

    #[test]
    fn a_body_of_a_known_length_is_its_first_bytes(data: Vec<u8>, length in 0_usize..64, piece in 1_usize..40) {
        let body = invariants::decode(Framing::Length(length as u64), &data, piece);
        let len = length.min(data.len());
        prop_assert_eq!(&body.data[..], &data[..len]);
        prop_assert_eq!(body.end, Ok(len == length));
    }
}
