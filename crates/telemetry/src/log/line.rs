//! One line, field by field, in the order in which they are given.

use super::{Format, Level, Logger};
use crate::plain::is_deceptive;
use secbeat_types::Timestamp;
use std::fmt::{Display, Write};
use std::net::IpAddr;

/// Longer text is cut: a line has a ceiling.
const TEXT_MAX: usize = 1024;

/// A line being written. Nothing is done where it is not wanted.
#[must_use = "a line is written by send()"]
pub struct Line<'a>(Option<Open<'a>>);

struct Open<'a> {
    logger: &'a Logger,
    format: Format,
    text: String,
}

impl<'a> Line<'a> {
    pub(super) fn skipped() -> Self {
        Line(None)
    }

    pub(super) fn begin(
        logger: &'a Logger,
        format: Format,
        at: Timestamp,
        level: Level,
        component: &str,
        event: &str,
    ) -> Self {
        let mut text = String::with_capacity(256);
        // Writing to a String cannot fail, here and below.
        let _ = match format {
            Format::Json => write!(text, r#"{{"timestamp":"{at}","level":"{}""#, level.as_str()),
            Format::Pretty => write!(text, "{at} {:5} {component} {event}", level.as_str()),
        };
        let line = Line(Some(Open { logger, format, text }));
        match format {
            Format::Json => line.str("component", component).str("event", event),
            Format::Pretty => line,
        }
    }

    /// Text, from whomever.
    pub fn str(self, name: &str, value: &str) -> Self {
        self.field(name, |text, format| match format {
            Format::Pretty if is_plain(value) => text.push_str(value),
            _ => push_quoted(text, value, TEXT_MAX),
        })
    }

    /// Text, where there is some.
    pub fn opt_str(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.str(name, value),
            None => self,
        }
    }

    /// Something that is shown as text.
    pub fn display(self, name: &str, value: impl Display) -> Self {
        match self.0 {
            Some(_) => self.str(name, &value.to_string()),
            None => self,
        }
    }

    /// An address.
    pub fn ip(self, name: &str, value: IpAddr) -> Self {
        self.display(name, value)
    }

    /// A whole number.
    pub fn u64(self, name: &str, value: u64) -> Self {
        self.field(name, |text, _| {
            let _ = write!(text, "{value}");
        })
    }

    /// Yes or no.
    pub fn bool(self, name: &str, value: bool) -> Self {
        self.field(name, |text, _| text.push_str(if value { "true" } else { "false" }))
    }

    /// Puts the line into the queue; it is dropped and counted where that is full.
    pub fn send(self) {
        if let Some((logger, line)) = self.finish() {
            logger.push(line);
        }
    }

    /// The line with its line feed.
    pub(super) fn finish(self) -> Option<(&'a Logger, String)> {
        let Open { logger, format, mut text } = self.0?;
        text.push_str(if format == Format::Json { "}\n" } else { "\n" });
        Some((logger, text))
    }

    /// Field names are ours: plain ASCII.
    fn field(mut self, name: &str, value: impl FnOnce(&mut String, Format)) -> Self {
        if let Some(Open { format, text, .. }) = &mut self.0 {
            let _ = match format {
                Format::Json => write!(text, r#","{name}":"#),
                Format::Pretty => write!(text, " {name}="),
            };
            value(text, *format);
        }
        self
    }
}

/// Whether `value` reads the same without quotes.
fn is_plain(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= TEXT_MAX
        && value.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\' | b'='))
}

/// `value` as a JSON string (RFC 8259 7), cut to `max` bytes. Besides what JSON asks for, it escapes what a
/// terminal or a reader's eye would take for something else: DEL, C1 controls, line and paragraph separators, marks
/// that turn the direction of writing.
pub(crate) fn push_quoted(out: &mut String, value: &str, max: usize) {
    let cut = value.floor_char_boundary(max);
    out.push('"');
    for c in value[..cut].chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || is_deceptive(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    if cut < value.len() {
        out.push('…');
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::LogOptions;
    use proptest::prelude::*;

    fn line(format: Format, value: &str) -> String {
        let logger = Logger::new(&LogOptions::default());
        let at = Timestamp::from_unix_ms(0);
        let line = Line::begin(&logger, format, at, Level::Info, "waf", "attack_detected").str("text", value);
        line.finish().unwrap().1
    }

    proptest! {
        #[test]
        fn whatever_a_client_sends_stays_in_its_field(value in any::<String>()) {
            let line = line(Format::Json, &value);
            let read: serde_json::Value = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(read.as_object().unwrap().len(), 5);
            prop_assert_eq!(read["text"].as_str().unwrap(), value);
        }

        #[test]
        fn no_line_holds_a_control_character_but_its_end(value in any::<String>()) {
            for format in [Format::Json, Format::Pretty] {
                let line = line(format, &value);
                let body = line.strip_suffix('\n').unwrap();
                prop_assert!(!body.chars().any(|c| c.is_control() || is_deceptive(c)), "{:?}", body);
            }
        }
    }

    #[test]
    fn a_forged_line_is_seen_to_be_a_field() {
        let forged = "x\n1970-01-01T00:00:00Z INFO  waf all_is_well\u{1b}[2K\u{9b}A\u{202e} a=b";
        assert_eq!(
            line(Format::Pretty, forged),
            "1970-01-01T00:00:00Z INFO  waf attack_detected text=\"x\\n1970-01-01T00:00:00Z INFO  waf \
             all_is_well\\u001b[2K\\u009bA\\u202e a=b\"\n"
        );
        assert!(line(Format::Pretty, "").ends_with(" text=\"\"\n"));
        assert!(line(Format::Pretty, "a=b").ends_with(" text=\"a=b\"\n"));
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let line = line(Format::Json, &"ü".repeat(5000));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["text"].as_str().unwrap(), "ü".repeat(512) + "…");
    }
}
