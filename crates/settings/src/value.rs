//! Values as they come from a layer, and how each type is read from them.

use crate::key::{Key, Kind};
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroize;

/// A value before its key's type is known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Raw {
    /// Text without a type of its own: from the environment, the command line, or a string with a `${VAR}` in it.
    Text(String),
    /// A TOML string.
    String(String),
    /// A TOML integer.
    Integer(i128),
    /// A TOML float.
    Float(f64),
    /// A TOML boolean.
    Boolean(bool),
    /// A TOML array.
    List(Vec<Raw>),
    /// Something that no key takes: what it is.
    Other(&'static str),
}

impl Raw {
    /// What follows "found". A secret is not shown.
    pub(crate) fn found(&self, key: &Key) -> String {
        match self {
            Raw::Text(_) | Raw::String(_) if key.is_secret() => "a text".into(),
            _ if key.is_secret() => "something else".into(),
            Raw::Text(text) | Raw::String(text) => format!("{text:?}"),
            Raw::Integer(number) => number.to_string(),
            Raw::Float(number) => format!("{number:?}"),
            Raw::Boolean(flag) => flag.to_string(),
            Raw::List(_) => "a list".into(),
            Raw::Other(what) => (*what).into(),
        }
    }

    /// Zeroes the text, once a secret was read from it.
    pub(crate) fn wipe(&mut self) {
        if let Raw::Text(text) | Raw::String(text) = self {
            text.zeroize();
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Raw::Text(text) | Raw::String(text) => Some(text),
            _ => None,
        }
    }

    fn integer(&self) -> Option<i128> {
        match self {
            Raw::Integer(number) => Some(*number),
            Raw::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Raw::Integer(number) => Some(*number as f64),
            Raw::Float(number) => Some(*number),
            Raw::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}

/// A type that a key can have.
pub(crate) trait Value: Sized {
    /// Its shape.
    const KIND: Kind;

    /// Reads it; an error says what was expected and found.
    fn read(raw: &Raw, key: &Key) -> Result<Self, String>;

    /// The value as TOML, which [`Value::read`] reads back to the same; empty where there is none.
    fn write(&self) -> String;
}

/// "expected …, found …".
pub(crate) fn mismatch(kind: Kind, raw: &Raw, key: &Key) -> String {
    format!("expected {}, found {}", kind.expected(), raw.found(key))
}

fn within(number: f64, raw: &Raw, key: &Key) -> Result<(), String> {
    match key.range {
        Some((min, max)) if !(min..=max).contains(&number) => {
            let unit = match (key.unit, key.kind) {
                (Some(unit), _) => format!(" {unit}"),
                (None, Kind::Seconds) => " seconds".into(),
                _ => String::new(),
            };
            Err(format!("expected {min} to {max}{unit}, found {}", raw.found(key)))
        }
        _ => Ok(()),
    }
}

/// Text as a TOML string.
pub(crate) fn quote(text: &str) -> String {
    toml::Value::from(text).to_string()
}

impl Value for bool {
    const KIND: Kind = Kind::Boolean;

    fn read(raw: &Raw, key: &Key) -> Result<Self, String> {
        match raw {
            Raw::Boolean(flag) => Ok(*flag),
            Raw::Text(text) if text == "true" => Ok(true),
            Raw::Text(text) if text == "false" => Ok(false),
            _ => Err(mismatch(Self::KIND, raw, key)),
        }
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

macro_rules! integers {
    ($($type:ty),+) => {$(
        impl Value for $type {
            const KIND: Kind = Kind::Integer;

            fn read(raw: &Raw, key: &Key) -> Result<Self, String> {
                let number = raw.integer().ok_or_else(|| mismatch(Self::KIND, raw, key))?;
                within(number as f64, raw, key)?;
                Self::try_from(number).map_err(|_| mismatch(Self::KIND, raw, key))
            }

            fn write(&self) -> String {
                self.to_string()
            }
        }
    )+};
}

integers!(u32, u64, usize);

impl Value for Duration {
    const KIND: Kind = Kind::Seconds;

    fn read(raw: &Raw, key: &Key) -> Result<Self, String> {
        let seconds = raw.number().ok_or_else(|| mismatch(Self::KIND, raw, key))?;
        within(seconds, raw, key)?;
        Duration::try_from_secs_f64(seconds).map_err(|_| mismatch(Self::KIND, raw, key))
    }

    fn write(&self) -> String {
        self.as_secs_f64().to_string()
    }
}

impl Value for String {
    const KIND: Kind = Kind::Text;

    fn read(raw: &Raw, key: &Key) -> Result<Self, String> {
        match raw.text() {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(mismatch(Self::KIND, raw, key)),
        }
    }

    fn write(&self) -> String {
        quote(self)
    }
}

impl Value for PathBuf {
    const KIND: Kind = Kind::Path;

    fn read(raw: &Raw, key: &Key) -> Result<Self, String> {
        match raw.text() {
            Some(text) if !text.is_empty() && !text.contains('\0') => Ok(PathBuf::from(text)),
            _ => Err(mismatch(Self::KIND, raw, key)),
        }
    }

    fn write(&self) -> String {
        if self.as_os_str().is_empty() { String::new() } else { quote(&self.to_string_lossy()) }
    }
}

impl Value for SocketAddr {
    const KIND: Kind = Kind::Address;

    fn read(raw: &Raw, key: &Key) -> Result<Self, String> {
        let address: SocketAddr = raw
            .text()
            .and_then(|text| text.trim().parse().ok())
            .ok_or_else(|| mismatch(Self::KIND, raw, key))?;
        if address.port() == 0 {
            return Err(format!("expected a port from 1 to 65535, found {}", raw.found(key)));
        }
        Ok(address)
    }

    fn write(&self) -> String {
        quote(&self.to_string())
    }
}

impl Value for IpNet {
    const KIND: Kind = Kind::Prefix;

    fn read(raw: &Raw, key: &Key) -> Result<Self, String> {
        let text = raw.text().map(str::trim).ok_or_else(|| mismatch(Self::KIND, raw, key))?;
        let prefix = text
            .parse::<IpNet>()
            .or_else(|_| text.parse().map(|address: std::net::IpAddr| IpNet::from(address)))
            .map_err(|_| mismatch(Self::KIND, raw, key))?;
        if prefix != prefix.trunc() {
            return Err(format!("{text} has bits beyond its length; did you mean {}?", prefix.trunc()));
        }
        Ok(prefix)
    }

    fn write(&self) -> String {
        quote(&self.to_string())
    }
}

impl<T: Value> Value for Option<T> {
    const KIND: Kind = T::KIND;

    fn read(raw: &Raw, key: &Key) -> Result<Self, String> {
        T::read(raw, key).map(Some)
    }

    fn write(&self) -> String {
        self.as_ref().map(T::write).unwrap_or_default()
    }
}

impl<T: Value> Value for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);

    /// Text is a TOML array, or values with commas between them.
    fn read(raw: &Raw, key: &Key) -> Result<Self, String> {
        let items = match raw {
            Raw::List(items) => items.clone(),
            Raw::Text(text) => list_of_text(text).ok_or_else(|| mismatch(Self::KIND, raw, key))?,
            _ => return Err(mismatch(Self::KIND, raw, key)),
        };
        items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                T::read(item, key).map_err(|message| format!("item {}: {message}", index + 1))
            })
            .collect()
    }

    fn write(&self) -> String {
        format!("[{}]", self.iter().map(T::write).collect::<Vec<_>>().join(", "))
    }
}

fn list_of_text(text: &str) -> Option<Vec<Raw>> {
    let text = text.trim();
    if text.starts_with('[') {
        let array = toml::de::DeValue::parse(text).ok()?;
        return match crate::file::raw(array.get_ref()) {
            Raw::List(items) => Some(items),
            _ => None,
        };
    }
    Some(
        text.split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(|item| Raw::Text(item.into()))
            .collect(),
    )
}
