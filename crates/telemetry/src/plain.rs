//! JSON that may be shown on a terminal and cut into lines by anybody, whatever clients put into its strings.

use std::borrow::Cow;
use std::fmt::Write;

/// `json`, in which what a terminal, a cutter of lines or a reader's eye would take for something else is written `\u009b`: DEL, C1
/// controls, line and paragraph separators, marks that turn the direction of writing. JSON itself (RFC 8259 7) asks this
/// of C0 controls alone. Outside of strings there is nothing of the kind, so that the value stays the same.
pub fn plain_json(json: &str) -> Cow<'_, str> {
    // All of it is DEL or beyond ASCII, and most text has neither.
    if json.bytes().all(|byte| byte < 0x7f) || !json.chars().any(is_escaped) {
        return Cow::Borrowed(json);
    }
    let mut plain = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        match is_escaped(c) {
            // Writing to a String cannot fail.
            true => drop(write!(plain, "\\u{:04x}", u32::from(c))),
            false => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

fn is_escaped(c: char) -> bool {
    c >= '\u{7f}' && (c.is_control() || is_deceptive(c))
}

/// Invisible characters that change how the text around them is shown (Unicode 16, General_Category Zl, Zp and the
/// `Bidi_Control` property, with the byte order mark); all within the Basic Multilingual Plane.
pub(crate) fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_value_stays_and_nothing_in_it_drives_a_terminal(name in any::<String>(), value in "[\u{0}-\u{a0}\u{2020}-\u{2070}\\\\\"]*") {
            let before = serde_json::json!({ name: [value] });
            let text = before.to_string();
            let plain = plain_json(&text);
            prop_assert!(!plain.chars().any(|c| c.is_control() || is_deceptive(c)), "{plain:?}");
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&plain).unwrap(), before);
        }
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(plain_json("{\"a\":\"b\\n\"}\n"), Cow::Borrowed(_)));
        assert!(matches!(plain_json("\"Zoë\""), Cow::Borrowed(_)));
        assert_eq!(plain_json("\"\u{9b}31m\u{2028}\u{7f}\""), "\"\\u009b31m\\u2028\\u007f\"");
    }
}
