//! Answers of a node as text. What a client sent is escaped, so that it cannot drive a terminal.

use serde_json::Value;

/// The list `name` of an answer.
pub fn items<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer[name].as_array().map_or(&[], Vec::as_slice)
}

/// The value `name`, [`plain`].
pub fn field(value: &Value, name: &str) -> String {
    plain(&value[name])
}

/// The texts of the list `name`, `-` where it is empty.
pub fn list(value: &Value, name: &str) -> String {
    match items(value, name) {
        [] => "-".into(),
        items => items.iter().map(plain).collect::<Vec<_>>().join(" "),
    }
}

/// A value without quotes; control characters, and what changes the direction of text, escaped.
pub fn plain(value: &Value) -> String {
    let text = match value {
        Value::Null => return "-".into(),
        Value::String(text) if text.is_empty() => return "-".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            _ if turns_text(char) => safe.extend(char.escape_unicode()),
            _ if char.is_control() => safe.extend(char.escape_default()),
            _ => safe.push(char),
        }
    }
    safe
}

/// JSON in which what drives a terminal is written `\u009b`. JSON itself asks this of C0 alone; outside of strings there is
/// nothing else of the kind but line breaks.
pub fn json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' => safe.push('\n'),
            _ if turns_text(char) || char.is_control() => {
                safe.push_str(&format!("\\u{:04x}", u32::from(char)));
            }
            _ => safe.push(char),
        }
    }
    safe
}

/// Marks, embeddings, overrides and isolates (Unicode Standard Annex 9).
fn turns_text(char: char) -> bool {
    matches!(char, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Columns as wide as their longest value; the last one as it comes.
pub fn table(head: &[&str], items: &[Value], row: impl Fn(&Value) -> Vec<String>) -> String {
    let mut rows: Vec<Vec<String>> = vec![head.iter().map(|name| (*name).to_owned()).collect()];
    rows.extend(items.iter().map(row));
    let widths: Vec<usize> =
        (0..head.len()).map(|column| rows.iter().map(|row| width(row, column)).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (value, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{value:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn width(row: &[String], column: usize) -> usize {
    row.get(column).map_or(0, |value| value.chars().count())
}

/// A line where there are more than are shown.
pub fn more(answer: &Value, shown: usize) -> String {
    match answer["total"].as_u64() {
        Some(total) if total > shown as u64 => format!("{shown} of {total}; more with --limit\n"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_client_sent_cannot_drive_a_terminal() {
        let answer = json!({ "a": [{ "b": "/\u{1b}[2J\n\u{202e}\u{9b}" }] });
        let text = table(&["B"], items(&answer, "a"), |item| vec![field(item, "b")]);
        assert_eq!(text, "B\n/\\u{1b}[2J\\n\\u{202e}\\u{9b}\n");
    }

    #[test]
    fn json_is_the_same_json_without_control_characters() {
        let answer = json!({ "a\u{9b}b": ["\u{1b}[2J\u{7f}\u{85}\r\n\u{202e}é"] });
        let text = json(&format!("{answer:#}\n"));
        assert!(text.contains("a\\u009bb") && text.contains("\\u007f\\u0085\\r\\n\\u202eé"), "{text}");
        assert!(text.chars().all(|char| char == '\n' || !char.is_control()), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), answer);
    }
}
