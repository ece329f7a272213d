//! Secrets: never shown, never a placeholder, wiped from memory when they are dropped.

use crate::key::{Key, Kind};
use crate::value::{Raw, Value, mismatch, quote};
use std::fmt;
use zeroize::Zeroizing;

/// A secret. It prints as `[secret]`, and only [`Secret::expose`] gives it away. Its bytes are zeroed on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

/// The shortest secret that is accepted: 16 characters of hex are 64 bits, out of reach over a network.
pub const LENGTH_MIN: usize = 16;

/// Words that stand in examples where a secret should be.
const PLACEHOLDERS: &[&str] = &[
    "changeme",
    "changethis",
    "example",
    "placeholder",
    "replaceme",
    "replacethis",
    "todo",
    "yourkey",
    "yoursecret",
    "yourtoken",
    "xxxxxxxx",
];

impl Secret {
    /// Takes a secret; an error says why it is none, without showing it.
    pub fn new(text: &str) -> Result<Self, String> {
        const REMEDY: &str = "make one with `openssl rand -hex 32`";
        // As long as it can get from the start, so that growing leaves no copy behind.
        let mut letters = Zeroizing::new(String::with_capacity(text.len()));
        letters.extend(text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()));
        let what = ["secret", "password", "token", "key"];
        // `your-viewer-token`, however it is written.
        let placeholder = PLACEHOLDERS.iter().any(|word| letters.contains(word))
            || what.contains(&letters.as_str())
            || (letters.starts_with("your") && what.iter().any(|word| letters.ends_with(word)));
        if placeholder {
            return Err(format!("this is a placeholder, not a secret; {REMEDY}"));
        }
        if text.chars().count() < LENGTH_MIN {
            return Err(format!("expected at least {LENGTH_MIN} characters, found fewer; {REMEDY}"));
        }
        if text.contains(char::is_control) {
            return Err(format!("expected one line without control characters; {REMEDY}"));
        }
        Ok(Secret(Zeroizing::new(text.to_owned())))
    }

    /// The secret itself. What a caller sends is compared with it in constant time (`subtle`), not by `==`.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Value for Secret {
    const KIND: Kind = Kind::Secret;

    fn read(raw: &Raw, key: &Key) -> Result<Self, String> {
        match raw {
            Raw::Text(text) | Raw::String(text) => Secret::new(text),
            _ => Err(mismatch(Self::KIND, raw, key)),
        }
    }

    fn write(&self) -> String {
        quote(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Secret::new("0123456789abcdef").unwrap();
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "[secret] [secret] Some([secret])");
        assert_eq!(secret.expose(), "0123456789abcdef");
    }

    #[test]
    fn placeholders_and_short_secrets_are_refused_without_being_shown() {
        for text in [
            "your-secret-key",
            "YOUR_VIEWER_TOKEN",
            "CHANGEME",
            "change-me-please-now",
            "<your token goes here>",
            "password",
        ] {
            assert!(Secret::new(text).unwrap_err().contains("placeholder"), "{text}");
        }
        let error = Secret::new("hunter2").unwrap_err();
        assert!(
            error.contains("16 characters") && error.contains("openssl rand") && !error.contains("hunter2")
        );
        assert!(Secret::new("").is_err());
        assert!(Secret::new("two lines of a secret\nsecond").is_err());
    }
}
