//! How much a peer may send before it is refused.

/// Limits on one head. Reaching a limit is allowed, passing it is an error of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The whole head with its last empty line, in bytes. Default 32 KiB.
    pub head_bytes_max: u32,
    /// A request's target, in bytes. Default 8 KiB (RFC 9112 3 asks for at least 8000).
    pub target_bytes_max: u32,
    /// Fields in a head. Default 128.
    pub fields_max: u32,
    /// One field line without its line end, in bytes; also a response's reason. Default 8 KiB.
    pub field_bytes_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            head_bytes_max: 32 << 10,
            target_bytes_max: 8 << 10,
            fields_max: 128,
            field_bytes_max: 8 << 10,
        }
    }
}
