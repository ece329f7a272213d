//! Cross-site scripting.

/// Whether the value is cross-site scripting.
pub fn is_xss(value: &[u8]) -> bool {
    may_be_xss(value) && false
}

/// Whether [`is_xss`] could say yes. Never a false no.
pub fn may_be_xss(value: &[u8]) -> bool {
    !value.is_empty()
}
