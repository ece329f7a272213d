//! The words of a call: scopes, paths with their queries, and bodies.

use crate::client::encode;
use serde_json::{Map, Value};
use std::net::IpAddr;
use std::str::FromStr;

/// An address or a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope(String);

impl FromStr for Scope {
    type Err = String;

    /// What the node itself says of prefixes is more exact than this.
    fn from_str(text: &str) -> Result<Self, String> {
        let address = text.split_once('/').map_or(text, |(address, _)| address);
        match address.parse::<IpAddr>() {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err("expected an address or a prefix such as 192.0.2.0/24".into()),
        }
    }
}

impl Scope {
    /// Whether it is a prefix rather than an address.
    pub fn is_prefix(&self) -> bool {
        self.0.contains('/')
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of its key in a body.
    pub fn key(&self) -> &'static str {
        if self.is_prefix() { "cidr" } else { "ip" }
    }
}

/// A path with its query.
#[derive(Clone)]
pub struct Path(String);

impl Path {
    /// The path alone, encoded already.
    pub fn of(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// Adds a parameter where there is a value.
    pub fn with(mut self, name: &str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            let separator = if self.0.contains('?') { '&' } else { '?' };
            self.0.push_str(&format!("{separator}{name}={}", encode(&value.to_string())));
        }
        self
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.0
    }
}

/// A JSON object as the body of a call.
#[derive(Default)]
pub struct Body(Map<String, Value>);

impl Body {
    /// With one key.
    pub fn of(key: &str, value: impl Into<Value>) -> Self {
        Self::default().with(key, value)
    }

    /// Adds a key; nothing where there is no value, or an empty list.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let is_absent = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !is_absent {
            self.0.insert(key.to_owned(), value);
        }
        self
    }
}

impl From<Body> for Value {
    fn from(body: Body) -> Self {
        Value::Object(body.0)
    }
}

impl From<Body> for Option<String> {
    fn from(body: Body) -> Self {
        Some(Value::from(body).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_holds_what_was_given_and_nothing_else() {
        let path = Path::of("/a").with("b", Some("c d")).with("e", None::<u64>).with("f", Some(7));
        assert_eq!(String::from(path), "/a?b=c%20d&f=7");
    }

    #[test]
    fn a_body_holds_what_was_given_and_nothing_else() {
        let body =
            Body::of("a", 1).with("b", None::<String>).with("c", Vec::<String>::new()).with("d", false);
        assert_eq!(Option::from(body), Some(r#"{"a":1,"d":false}"#.to_owned()));
    }

    #[test]
    fn a_scope_is_an_address_or_a_prefix() {
        for (text, is_prefix) in [("192.0.2.7", false), ("2001:db8::/32", true)] {
            assert_eq!(text.parse::<Scope>().map(|scope| scope.is_prefix()), Ok(is_prefix));
        }
        assert!("nobody/24".parse::<Scope>().is_err());
    }
}
