//! Answers of a node as text for people. What a client sent is escaped, so that it cannot drive a terminal.

use serde_json::Value;

/// `decision add`
pub fn blocked(answer: &Value) -> String {
    let mut text = format!(
        "{} blocked until {} ({})\n",
        field(answer, "scope"),
        field(answer, "expires_at"),
        field(answer, "id")
    );
    if answer["durable"] != true {
        text.push_str(&format!("in force, but not on the disk yet: {}\n", field(answer, "not_durable")));
    }
    if let Some(allowed) = answer["allowlisted_inside"].as_array() {
        text.push_str("allowed all the same:");
        allowed.iter().for_each(|scope| text.push_str(&format!(" {}", plain(scope))));
        text.push('\n');
    }
    text
}

/// `decision delete`
pub fn removed(answer: &Value) -> String {
    let ids: Vec<String> = items(answer, "removed").iter().map(plain).collect();
    format!("removed {}\n", ids.join(", "))
}

/// `decision list`
pub fn decisions(answer: &Value) -> String {
    table(&["SCOPE", "UNTIL", "BY", "ID", "REASON"], items(answer, "blocked_ips"), |decision| {
        ["scope", "expires_at", "origin", "id", "reason"].map(|name| field(decision, name)).to_vec()
    })
}

/// `rule list`
pub fn rules(answer: &Value) -> String {
    table(&["ID", "ACTION", "SEVERITY", "CATEGORY", "NAME"], items(answer, "rules"), |rule| {
        ["id", "effective_action", "severity", "category", "name"].map(|name| field(rule, name)).to_vec()
    })
}

/// `event list`
pub fn events(answer: &Value) -> String {
    table(&["TIME", "EVENT", "CLIENT", "STATUS", "REQUEST", "REASON"], items(answer, "events"), |event| {
        let request = match event["method"].as_str() {
            Some(_) => format!("{} {}", field(event, "method"), field(event, "target")),
            None => "-".into(),
        };
        let mut row = ["timestamp", "event", "client_ip", "status"].map(|name| field(event, name)).to_vec();
        row.push(request);
        row.push(field(event, "reason"));
        row
    })
}

/// `node status`
pub fn status(answer: &Value) -> String {
    let mut text = format!(
        "{}, version {}, mode {}, policy generation {}, up {} s\n{} workers, {} connections, {} firewall rules ({}), {} decisions\n",
        field(answer, "status"),
        field(answer, "version"),
        field(answer, "mode"),
        field(answer, "generation"),
        field(answer, "uptime_seconds"),
        field(answer, "workers"),
        field(answer, "connections_active"),
        field(&answer["waf"], "rules"),
        if answer["waf"]["enabled"] == true { field(&answer["waf"], "mode") } else { "off".into() },
        field(&answer["decisions"], "in_force"),
    );
    for missing in items(answer, "degraded") {
        text.push_str(&format!(
            "degraded: {}: {}; {}\n",
            field(missing, "key"),
            field(missing, "why"),
            field(missing, "remedy")
        ));
    }
    text
}

fn items<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer[name].as_array().map_or(&[], Vec::as_slice)
}

fn field(value: &Value, name: &str) -> String {
    plain(&value[name])
}

/// A value without quotes; control characters, and what changes the direction of text, escaped.
fn plain(value: &Value) -> String {
    let text = match value {
        Value::Null => return "-".into(),
        Value::String(text) if text.is_empty() => return "-".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                safe.extend(char.escape_unicode())
            }
            _ if char.is_control() => safe.extend(char.escape_default()),
            _ => safe.push(char),
        }
    }
    safe
}

/// Columns as wide as their longest value; the last one as it comes.
fn table(head: &[&str], items: &[Value], row: impl Fn(&Value) -> Vec<String>) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_line_up() {
        let answer = json!({ "blocked_ips": [
            { "scope": "192.0.2.7/32", "expires_at": null, "origin": "manual", "id": "dec_1", "reason": "" },
            { "scope": "2001:db8::/64", "expires_at": "2026-01-01T00:00:00Z", "origin": "manual", "id": "dec_12", "reason": "a b" },
        ]});
        assert_eq!(
            decisions(&answer),
            "SCOPE          UNTIL                 BY      ID      REASON\n\
             192.0.2.7/32   -                     manual  dec_1   -\n\
             2001:db8::/64  2026-01-01T00:00:00Z  manual  dec_12  a b\n"
        );
    }

    #[test]
    fn what_a_client_sent_cannot_drive_a_terminal() {
        let answer =
            json!({ "events": [{ "method": "GET", "target": "/\u{1b}[2J\n\u{202e}", "reason": "r" }] });
        let text = events(&answer);
        assert!(text.contains("/\\u{1b}[2J\\n\\u{202e}") && text.lines().count() == 2, "{text}");
    }
}
