//! Decoders: one disguise each, taken off bytes. All are total: any bytes in, `None` where nothing changes.

mod command_line;
mod comments;
mod html;
mod javascript;
mod path;
mod url;

pub use command_line::plain_command_line;
pub use comments::replace_comments;
pub use html::decode_html_entities;
pub use javascript::decode_javascript_escapes;
pub use path::normalize_path;
pub use url::decode_url;

/// What `input` is without its NUL bytes, which some backends skip and some end a string at.
pub fn remove_nulls(input: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(0, input)?;
    Some(input.iter().copied().filter(|&b| b != 0).collect())
}

/// What `input` is in lower case, ASCII letters only.
pub fn lowercase(input: &[u8]) -> Option<Vec<u8>> {
    input.iter().any(u8::is_ascii_uppercase).then(|| input.to_ascii_lowercase())
}

/// `output`, where it differs from `input`.
fn changed(output: Vec<u8>, input: &[u8]) -> Option<Vec<u8>> {
    (output != input).then_some(output)
}

/// The value of the hexadecimal digits that `text` is made of; `None` where it is empty, longer than six, or something else.
fn hex(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 6 {
        return None;
    }
    text.iter().try_fold(0, |value, &b| Some(value * 16 + char::from(b).to_digit(16)?))
}

/// Appends a code point as UTF-8; nothing where it is none (a surrogate, or beyond U+10FFFF).
fn push_code_point(out: &mut Vec<u8>, code: u32) {
    if let Some(c) = char::from_u32(code) {
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    #[test]
    fn nulls_and_case_go_away() {
        assert_eq!(remove_nulls(b"a\0b\0").as_deref(), Some(&b"ab"[..]));
        assert_eq!(remove_nulls(b"ab"), None);
        assert_eq!(lowercase(b"UNIon").as_deref(), Some(&b"union"[..]));
        assert_eq!(lowercase(b"union"), None);
    }

    type Decoder = fn(&[u8]) -> Option<Vec<u8>>;

    /// Bytes that the decoders care about, in unlikely orders.
    fn disguised() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            any::<u8>().prop_map(|b| vec![b]),
            prop::sample::select(vec![
                "%", "%2", "%25", "%u00", "%u003c", "+", "&", "&#", "&#x3c", ";", "&lt", "&colon;", "\\",
                "\\x3c", "\\u{", "/*", "*/", "/*!50000", "--", "#", "\n", "..", "/", "./", "'", "^", "$IFS",
                "${IFS}", "\0",
            ])
            .prop_map(|s| s.as_bytes().to_vec()),
        ];
        vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn a_decoder_says_none_exactly_where_nothing_changes(input in disguised()) {
            let decoders: &[Decoder] = &[
                |i| decode_url(i, true), |i| decode_url(i, false), decode_html_entities, decode_javascript_escapes,
                remove_nulls, lowercase, replace_comments, plain_command_line, normalize_path,
            ];
            for decoder in decoders {
                if let Some(output) = decoder(&input) {
                    prop_assert_ne!(&output, &input);
                }
            }
        }

        #[test]
        fn one_pass_of_these_is_enough(input in disguised()) {
            for decoder in [remove_nulls, lowercase, normalize_path] {
                if let Some(output) = decoder(&input) {
                    prop_assert_eq!(decoder(&output), None);
                }
            }
        }

        #[test]
        fn decoding_never_makes_more_of_it(input in disguised()) {
            for output in [decode_url(&input, true), decode_javascript_escapes(&input), decode_html_entities(&input)] {
                prop_assert!(output.is_none_or(|output| output.len() <= input.len()));
            }
        }
    }
}
