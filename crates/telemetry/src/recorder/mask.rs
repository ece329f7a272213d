//! What of a request nobody may read. Where a value cannot be told from what is secret, more is masked, not less.
//!
//! A name is secret whatever its case, its `-` and `_`, its percent-encoding, and the brackets and dots around it:
//! `user[Pass_Word]` is `password`. So is one that has a secret name among its words (`auth_token`, `newPwd`, `X-Vault-Token`), or,
//! from 6 letters on, anywhere (`clientsecret`); `code`, `pin`, `sid`, `card`, and what is shorter than 3 letters, have to be all of it:
//! `zip_code` is no `code`. Text in which a secret name is followed by `=` or `:` is masked whole, since nobody knows
//! where the value ends.

mod names;

use super::record::{BodyText, MatchNote};
use super::{BODY_BYTES_READ_MAX, Draft, Record, RecorderOptions};
use crate::anonymize::anonymized;
use names::{Names, decoded};
use secbeat_types::RuleMatch;
use serde::Serialize;
use serde_json::{Map, Value};

/// What stands in place of what is secret.
pub const MASKED: &str = "[masked]";
/// The longest target and the longest value of a field that are kept, in bytes, after masking.
const TEXT_BYTES_MAX: usize = 32 << 10;
/// Fields that name the client, or the way to it.
const CLIENT_FIELDS: [&str; 8] = [
    "forwarded",
    "x-forwarded-for",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "x-original-forwarded-for",
];

/// Members of JSON objects whose values name what the other members are about.
const NAMING: [&str; 10] =
    ["name", "key", "field", "param", "parameter", "property", "attribute", "header", "id", "label"];
/// Variables without a name of which all is shown that is not masked elsewhere.
const PLAIN_VARIABLES: [&str; 5] =
    ["path", "REQUEST_FILENAME", "REQUEST_BASENAME", "REQUEST_METHOD", "REQUEST_PROTOCOL"];
/// The most `;` of a path of which it is looked what follows them.
const PATH_PARAMETERS_MAX: usize = 16;

/// The names whose values are secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    headers: Names,
    parameters: Names,
}

impl Mask {
    /// Masks the header fields and the parameters of these names.
    pub fn new<'a>(
        headers: impl IntoIterator<Item = &'a str>,
        parameters: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Mask { headers: Names::new(headers), parameters: Names::new(parameters) }
    }

    /// Matches as they may be shown to whoever reads events: what stands in a place of a secret name is masked.
    pub fn matches(&self, matches: &mut [RuleMatch]) {
        for found in matches {
            let mut masking = Masking { mask: self, removed: Vec::new() };
            let variable = masking.variable(&found.variable);
            let matched = masking.matched(&found.variable, &found.matched, &decoded(&found.matched));
            (found.variable, found.matched) = (variable, matched);
        }
    }

    /// A draft as it may be kept.
    pub(crate) fn record(&self, draft: Draft, options: &RecorderOptions) -> Record {
        let mut masking = Masking { mask: self, removed: Vec::new() };
        let content_type = field(&draft.fields, "content-type").unwrap_or_default().to_owned();
        let target = masking.target(&draft.target);
        let fields = draft.fields.into_iter().map(|(name, value)| {
            let hides =
                options.anonymize && CLIENT_FIELDS.iter().any(|known| name.eq_ignore_ascii_case(known));
            let value = if hides { MASKED.into() } else { masking.field(&name, &value) };
            (name, cut(value, TEXT_BYTES_MAX).0)
        });
        let fields = fields.collect();
        let text = draft.body.as_deref().filter(|_| options.bodies);
        let text = text.and_then(|bytes| masking.body(bytes, &content_type));
        let shown = text.as_deref().map(decoded).unwrap_or_default();
        let matches = draft.matches.iter().map(|found| MatchNote {
            rule_id: found.rule_id.to_string(),
            name: found.name.to_string(),
            category: found.category.as_str().to_owned(),
            severity: found.severity.as_str().to_owned(),
            action: word(&found.action),
            variable: masking.variable(&found.variable),
            matched: masking.matched(&found.variable, &found.matched, &shown),
            transformations: found.transformations.iter().map(|name| (*name).to_owned()).collect(),
        });
        let matches = matches.collect();
        let body = (draft.body_bytes > 0).then(|| {
            let (text, truncated) = text
                .map(|text| cut(text, options.body_bytes_max))
                .map_or((None, false), |(t, c)| (Some(t), c));
            BodyText { bytes: draft.body_bytes, text, truncated }
        });
        Record {
            request_id: draft.request_id,
            timestamp: draft.timestamp,
            client_ip: if options.anonymize { anonymized(draft.client_ip) } else { draft.client_ip },
            site: draft.site,
            method: draft.method,
            target: cut(target, TEXT_BYTES_MAX).0,
            version: draft.version.to_owned(),
            fields,
            body,
            status: draft.status,
            stopped: draft.stopped,
            action: draft.action.to_owned(),
            rule_id: draft.rule_id,
            matches,
        }
    }
}

/// The masking of one request.
struct Masking<'a> {
    mask: &'a Mask,
    /// What was masked, decoded: it must not come back in what rules matched.
    removed: Vec<String>,
}

impl Masking<'_> {
    fn hide(&mut self, secret: &str) -> String {
        self.removed.push(decoded(secret));
        MASKED.to_owned()
    }

    /// Text of no form that we know.
    fn text(&mut self, text: &str) -> String {
        if self.mask.parameters.are_mentioned_in(text) { self.hide(text) } else { text.to_owned() }
    }

    /// `path?a=b&c=d`, also as an absolute URL.
    fn target(&mut self, target: &str) -> String {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        // The user information of a URL (RFC 3986 3.2.1) is a credential.
        let has_user = path.split_once("://").is_some_and(|(_, rest)| rest.contains('@'));
        let path = if has_user { self.hide(path) } else { self.path(path) };
        match query {
            Some(query) => path + "?" + &self.pairs(query),
            None => path,
        }
    }

    /// `/a/b;jsessionid=c`. A backend may take all that follows for the value of a secret parameter.
    fn path(&mut self, path: &str) -> String {
        let parameters = &self.mask.parameters;
        if !parameters.are_mentioned_in(path) {
            return path.to_owned();
        }
        for (at, _) in path.match_indices(';').take(PATH_PARAMETERS_MAX) {
            let (before, parameter) = path.split_at(at + 1);
            let Some((name, value)) = parameter.split_once('=') else { break };
            if parameters.are_plainly(name) && !parameters.are_mentioned_in(before) {
                return format!("{before}{name}={}", self.hide(value));
            }
        }
        self.hide(path)
    }

    /// `a=b&c=d`. Where something is secret that is no plain pair, so is all that follows it.
    fn pairs(&mut self, text: &str) -> String {
        let parameters = &self.mask.parameters;
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        loop {
            let (piece, after) = match rest.split_once('&') {
                Some((piece, after)) => (piece, Some(after)),
                None => (rest, None),
            };
            match piece.split_once('=') {
                Some((name, value)) if parameters.are_plainly(name) => {
                    out.push_str(name);
                    out.push('=');
                    out.push_str(&self.hide(value));
                }
                _ if parameters.are_mentioned_in(piece) => {
                    out.push_str(&self.hide(rest));
                    return out;
                }
                _ => out.push_str(piece),
            }
            let Some(after) = after else { return out };
            out.push('&');
            rest = after;
        }
    }

    /// The value of a header field.
    fn field(&mut self, name: &str, value: &str) -> String {
        match name.to_ascii_lowercase().as_str() {
            "cookie" | "set-cookie" => self.cookies(value),
            lower if self.mask.headers.has(name) || self.mask.parameters.has(name) => {
                match value.trim_start().split_once(' ') {
                    Some((scheme, secret)) if lower.ends_with("authorization") && is_scheme(scheme) => {
                        format!("{scheme} {}", self.hide(secret))
                    }
                    _ => self.hide(value),
                }
            }
            // Referer and its like.
            _ if value.contains("://") || value.starts_with('/') => self.target(value),
            _ => self.text(value),
        }
    }

    /// `a=b; c=d`: the names are kept.
    fn cookies(&mut self, value: &str) -> String {
        let pieces = value.split(';').map(|piece| match piece.split_once('=') {
            Some((name, secret)) if !self.mask.parameters.are_mentioned_in(name) => {
                format!("{name}={}", self.hide(secret))
            }
            _ => self.hide(piece),
        });
        pieces.collect::<Vec<_>>().join(";")
    }

    /// A body of a type that can be masked, and whole.
    fn body(&mut self, body: &[u8], content_type: &str) -> Option<String> {
        if body.len() > BODY_BYTES_READ_MAX {
            return None;
        }
        let text = std::str::from_utf8(body).ok()?;
        let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        // What looks like JSON is read as JSON, whatever it calls itself.
        let looks_like_json = text.trim_start().starts_with(['{', '[', '"']);
        match media.as_str() {
            "application/x-www-form-urlencoded" | "text/plain" if looks_like_json => self.json(text),
            "application/json" | "text/json" => self.json(text),
            "application/x-www-form-urlencoded" => Some(self.pairs(text)),
            "text/plain" => Some(self.text(text)),
            media if media.ends_with("+json") => self.json(text),
            _ => None,
        }
    }

    /// A JSON document, written anew.
    fn json(&mut self, text: &str) -> Option<String> {
        // It is refused where it is nested deeper than 128.
        let mut document = serde_json::from_str(text).ok()?;
        self.value(&mut document);
        serde_json::to_string(&document).ok()
    }

    /// No deeper than what was parsed.
    fn value(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.value(value)),
            Value::Object(members) => {
                // `{"name":"password","value":…}`
                let is_pair = members.iter().any(|member| self.names_a_secret(member));
                let masked: Map<String, Value> = std::mem::take(members)
                    .into_iter()
                    .map(|(name, mut value)| {
                        let is_secret = is_pair && !self.names_a_secret((&name, &value));
                        if is_secret || self.mask.parameters.has(&name) {
                            self.hide_all(&value);
                            value = MASKED.into();
                        } else {
                            self.value(&mut value);
                        }
                        (self.text(&name), value)
                    })
                    .collect();
                *members = masked;
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Whether this member of an object says that the others are about a secret.
    fn names_a_secret(&self, (name, value): (&String, &Value)) -> bool {
        NAMING.iter().any(|naming| name.eq_ignore_ascii_case(naming))
            && value.as_str().is_some_and(|value| self.mask.parameters.has(value))
    }

    fn hide_all(&mut self, value: &Value) {
        match value {
            Value::String(text) => drop(self.hide(text)),
            Value::Array(values) => values.iter().for_each(|value| self.hide_all(value)),
            Value::Object(members) => members.values().for_each(|value| self.hide_all(value)),
            other => drop(self.hide(&other.to_string())),
        }
    }

    /// The place that a rule matched at. Its name is the client's text.
    fn variable(&mut self, variable: &str) -> String {
        match variable.split_once(':') {
            Some((kind, name)) if self.mask.parameters.are_mentioned_in(name) => format!("{kind}:{MASKED}"),
            _ => variable.to_owned(),
        }
    }

    /// What a rule matched, `shown` being the decoded text of the body that is kept.
    fn matched(&mut self, variable: &str, matched: &str, shown: &str) -> String {
        let parameters = &self.mask.parameters;
        let text = decoded(matched);
        let is_secret = match variable.split_once(':') {
            Some(("cookie" | "REQUEST_COOKIES", _)) => true,
            Some(("header" | "REQUEST_HEADERS" | "RESPONSE_HEADERS", name)) => {
                let is_cookie = ["cookie", "set-cookie"].iter().any(|known| name.eq_ignore_ascii_case(known));
                is_cookie || self.mask.headers.has(name) || parameters.has(name)
            }
            Some((_, name)) => parameters.has(name),
            // The body as a whole.
            None => !PLAIN_VARIABLES.contains(&variable) && !shown.contains(&text),
        };
        let comes_back =
            |secret: &String| !secret.is_empty() && (secret.contains(&text) || text.contains(secret));
        if is_secret || parameters.are_mentioned_in(matched) || self.removed.iter().any(comes_back) {
            return MASKED.to_owned();
        }
        matched.to_owned()
    }
}

/// The name of a word of the vocabulary, as JSON has it.
fn word(word: &impl Serialize) -> String {
    match serde_json::to_value(word) {
        Ok(Value::String(name)) => name,
        _ => String::new(),
    }
}

/// The first field of this name.
fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Whether this is the name of an authentication scheme: short, and of letters (RFC 9110 11.1, as they are in use).
fn is_scheme(text: &str) -> bool {
    text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
}

/// The text cut to about `max` bytes, and whether it was.
fn cut(mut text: String, max: usize) -> (String, bool) {
    let end = text.floor_char_boundary(max);
    let is_longer = end < text.len();
    text.truncate(end);
    (text, is_longer)
}

#[cfg(test)]
mod tests;
