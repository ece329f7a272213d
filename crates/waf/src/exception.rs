//! An exception: matches that do not count, and for whom.

use ipnet::IpNet;
use secbeat_types::{Category, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::net::IpAddr;

/// Matches that do not count. It narrows by each list that is not empty, and by all of them together; one at least narrows,
/// by something that is not for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ExceptionSource")]
pub struct Exception {
    /// Unique in a set; 1 to 128 printable ASCII characters. Where it is not given, made from what the exception says,
    /// so that the same one set twice is one.
    pub id: String,
    /// Ids of rules, also of the program's own (`secbeat-…`); not checked, for rules come and go.
    pub rules: Vec<String>,
    /// Categories of rules.
    pub categories: Vec<Category>,
    /// Paths, as [`Paths`](crate::glob::Paths) has them. All forms of the request's path must be of one of them: no
    /// spelling of another path gets the exception.
    pub paths: Vec<String>,
    /// Where the match is, as [`RuleMatch::variable`](secbeat_types::RuleMatch::variable) names it, `*` for any
    /// characters: `query:comment`, `body:*`, `header:x-foo`, `cookie:*`, `path`.
    pub parameters: Vec<String>,
    /// Hosts, as [`Hosts`](crate::glob::Hosts) has them.
    pub hosts: Vec<String>,
    /// Addresses of clients, as prefixes.
    pub clients: Vec<IpNet>,
    /// When it ceases to be in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Why it is there, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was set; whoever sets it fills that in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

impl Exception {
    /// Whether it is in force at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// An id made from what it says: FNV-1a, 64 bits, over its lists.
    fn id_of_content(&self) -> String {
        let said = format!(
            "{:?}",
            (&self.rules, &self.categories, &self.paths, &self.parameters, &self.hosts, &self.clients)
        );
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        format!("exc_{:016x}", said.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
    }
}

/// The keys of an exception, as they are in JSON. Kept beside [`ExceptionSource`] so that a wrong one finds its neighbour.
pub(crate) const KEYS: &[&str] = &[
    "id",
    "rules",
    "categories",
    "paths",
    "parameters",
    "hosts",
    "clients",
    "expires_at",
    "reason",
    "created_at",
    "hits",
    "last_hit_at",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionSource {
    id: Option<String>,
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    categories: Vec<Category>,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    parameters: Vec<String>,
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    clients: Vec<Client>,
    expires_at: Option<Timestamp>,
    reason: Option<String>,
    created_at: Option<Timestamp>,
    /// Written in listings, ignored where it is read.
    #[serde(default, rename = "hits")]
    _hits: serde::de::IgnoredAny,
    /// As `hits`.
    #[serde(default, rename = "last_hit_at")]
    _last_hit_at: serde::de::IgnoredAny,
}

/// A prefix, or an address alone.
struct Client(IpNet);

impl<'de> Deserialize<'de> for Client {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let alone = || text.parse::<IpAddr>().ok().map(IpNet::from);
        let prefix = text.parse::<IpNet>().ok().or_else(alone);
        prefix.map(|prefix| Client(prefix.trunc())).ok_or_else(|| {
            D::Error::custom(format!("expected an address or a prefix such as 10.0.0.0/8, found `{text}`"))
        })
    }
}

impl From<ExceptionSource> for Exception {
    fn from(source: ExceptionSource) -> Self {
        let mut exception = Exception {
            id: String::new(),
            rules: source.rules,
            categories: source.categories,
            paths: source.paths,
            parameters: source.parameters,
            hosts: source.hosts,
            clients: source.clients.into_iter().map(|Client(prefix)| prefix).collect(),
            expires_at: source.expires_at,
            reason: source.reason,
            created_at: source.created_at,
        };
        exception.id = source.id.unwrap_or_else(|| exception.id_of_content());
        exception
    }
}
