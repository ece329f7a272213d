//! What is kept of a request.

use secbeat_types::{RuleMatch, Timestamp};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A request as a worker has it, nothing masked. Text is lossy UTF-8.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Its id, as in the answer's `x-request-id`.
    pub request_id: String,
    /// When its first byte was in hand.
    pub timestamp: Timestamp,
    /// The client, behind trusted proxies.
    pub client_ip: IpAddr,
    /// The name of its site; empty where it is of none.
    pub site: String,
    /// Its method.
    pub method: String,
    /// Its target as it was sent.
    pub target: String,
    /// `HTTP/1.1`, …
    pub version: &'static str,
    /// Its field lines in order, `Host` and `Cookie` among them.
    pub fields: Vec<(String, String)>,
    /// Its body decoded, where it is wanted and was read whole.
    pub body: Option<Vec<u8>>,
    /// How long its body is, in bytes, as far as it was read.
    pub body_bytes: u64,
    /// The status that the client was sent; 0: none.
    pub status: u16,
    /// Whether it was stopped.
    pub stopped: bool,
    /// What was done with it: `passed`, `stopped`, …
    pub action: &'static str,
    /// The rule that settled it.
    pub rule_id: Option<String>,
    /// Every rule that matched.
    pub matches: Vec<RuleMatch>,
}

impl Draft {
    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        let fields: usize =
            self.fields.iter().map(|(name, value)| name.len() + value.len() + size_of::<[String; 2]>()).sum();
        let matches: usize =
            self.matches.iter().map(|m| size_of_val(m) + m.variable.len() + m.matched.len()).sum();
        let body = self.body.as_ref().map_or(0, Vec::len);
        size_of::<Self>() + self.target.len() + fields + matches + body
    }
}

/// A request on the disk and in the API. What is secret reads [`MASKED`](super::mask::MASKED).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its id, as in the answer's `x-request-id`.
    pub request_id: String,
    /// When its first byte was in hand.
    pub timestamp: Timestamp,
    /// The client, behind trusted proxies; or its network.
    pub client_ip: IpAddr,
    /// The name of its site.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub site: String,
    /// Its method.
    pub method: String,
    /// Its target.
    pub target: String,
    /// `HTTP/1.1`, …
    pub version: String,
    /// Its field lines in order: name, value.
    pub fields: Vec<(String, String)>,
    /// Its body, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyText>,
    /// The status that the client was sent; 0: none.
    pub status: u16,
    /// Whether it was stopped.
    pub stopped: bool,
    /// What was done with it.
    pub action: String,
    /// The rule that settled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    /// Every rule that matched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<MatchNote>,
}

/// A body, as far as it may be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyText {
    /// Its length in bytes, as it came.
    pub bytes: u64,
    /// Its text, secrets masked; absent where bodies are not recorded, or where it is of a type that cannot be masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether the text is cut.
    #[serde(default)]
    pub truncated: bool,
}

/// A rule that matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchNote {
    /// The rule's `id`.
    pub rule_id: String,
    /// The rule's `name`.
    pub name: String,
    /// What kind of attack the rule looks for.
    pub category: String,
    /// How bad a match is.
    pub severity: String,
    /// What the rule asked for.
    pub action: String,
    /// The value that matched: `query:id`, `header:user-agent`, …
    pub variable: String,
    /// What matched in it.
    pub matched: String,
    /// The transformations that made it what the rule saw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transformations: Vec<String>,
}

/// Which records are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordQuery {
    /// Only of this client; where addresses are cut, of its network.
    pub ip: Option<IpAddr>,
    /// Only the request of this id.
    pub request_id: Option<String>,
    /// Only at this instant or later.
    pub since: Option<Timestamp>,
    /// Only those that were stopped, or only those that passed.
    pub stopped: Option<bool>,
    /// The most records.
    pub limit: usize,
}

impl Default for RecordQuery {
    /// The newest 50 records.
    fn default() -> Self {
        RecordQuery { ip: None, request_id: None, since: None, stopped: None, limit: 50 }
    }
}

/// What a query found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The records, the newest first.
    pub records: Vec<Record>,
    /// Whether the search ended at its ceiling, so that older records were not looked at.
    pub cut_short: bool,
}
