//! What a rate is counted by.

use secbeat_types::decision::canonical;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

/// A limit and what it counts by, hashed with the table's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RateKey(pub(super) u64);

/// The number of the limit of this name, the same for the life of the program: counts survive a change of the policy.
pub fn limit_id(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// Hashes a limit and the parts that it counts by, in order. Without an allocation. Each part stands with its length, so
/// that `ab` and `c` are not `a` and `bc`.
#[derive(Debug)]
pub struct KeyBuilder<H = DefaultHasher>(H);

impl<H: Hasher> KeyBuilder<H> {
    pub(super) fn new(mut hasher: H, limit: u64) -> Self {
        hasher.write_u64(limit);
        Self(hasher)
    }

    /// A client: an IPv4 address or an IPv6 /64.
    pub fn address(mut self, client: IpAddr) -> Self {
        self.0.write_u64(client_id(client));
        self
    }

    /// Bytes as they are.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.write_usize(bytes.len());
        self.0.write(bytes);
        self
    }

    /// Bytes whose case does not count.
    pub fn bytes_of_any_case(mut self, bytes: &[u8]) -> Self {
        self.0.write_usize(bytes.len());
        for piece in bytes.chunks(64) {
            let mut lower = [0; 64];
            if let Some(lower) = lower.get_mut(..piece.len()) {
                lower.copy_from_slice(piece);
                lower.make_ascii_lowercase();
                self.0.write(lower);
            }
        }
        self
    }

    /// The key.
    pub fn finish(self) -> RateKey {
        RateKey(self.0.finish())
    }
}

/// A client as a number: an IPv4 address, or the /64 of an IPv6 address.
pub fn client_id(client: IpAddr) -> u64 {
    match canonical(client) {
        // Within 0000::/8, which RFC 4291 2.4 reserves: no /64 of a client is the same number.
        IpAddr::V4(v4) => 0xffff_0000_0000 | u64::from(u32::from(v4)),
        IpAddr::V6(v6) => (u128::from(v6) >> 64) as u64,
    }
}
