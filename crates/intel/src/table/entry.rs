//! One decision in 48 bytes.

use super::reasons::Reason;
use crate::precedence::{Candidate, Precedence, Standing};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use secbeat_types::decision::canonical;
use secbeat_types::{Decision, DecisionKind, Origin, Timestamp};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// Lasts for ever.
const FOR_EVER: u32 = u32::MAX;

/// A prefix as the table compares it: IPv4 addresses are numbers below 2^32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    pub high: u64,
    pub low: u64,
    pub length: u8,
    pub is_v4: bool,
}

impl Prefix {
    /// `net` without its host bits.
    pub fn of(net: IpNet) -> Self {
        Self::around(net.addr(), net.prefix_len())
    }

    /// The prefix of this length around `address`.
    pub fn around(address: IpAddr, length: u8) -> Self {
        let bits = match address {
            IpAddr::V4(v4) => u32::from(v4).into(),
            IpAddr::V6(v6) => u128::from(v6),
        };
        let is_v4 = address.is_ipv4();
        Prefix { high: (bits >> 64) as u64, low: bits as u64, length, is_v4 }.shorter(length)
    }

    /// The prefix of this length around it.
    pub fn shorter(self, length: u8) -> Self {
        let ends = if self.is_v4 { 32_u8 } else { 128 };
        let kept = self.bits() & u128::MAX.checked_shl(ends.saturating_sub(length).into()).unwrap_or(0);
        Prefix { high: (kept >> 64) as u64, low: kept as u64, length, ..self }
    }

    pub fn bits(self) -> u128 {
        u128::from(self.high) << 64 | u128::from(self.low)
    }

    pub fn net(self) -> IpNet {
        match self.is_v4 {
            true => Ipv4Net::new_assert(Ipv4Addr::from(self.low as u32), self.length.min(32)).into(),
            false => Ipv6Net::new_assert(Ipv6Addr::from(self.bits()), self.length.min(128)).into(),
        }
    }

    /// Whether every address of `other` is one of this.
    pub fn contains(self, other: Prefix) -> bool {
        let ends = if self.is_v4 { 32 } else { 128 };
        let shift = u32::from(ends - self.length.min(ends));
        self.is_v4 == other.is_v4
            && self.length <= other.length
            && (self.bits() ^ other.bits()).checked_shr(shift).unwrap_or(0) == 0
    }
}

/// What a decision takes the place of: the one about the same prefix, of the same kind and origin. One that waits to be
/// confirmed stands beside it until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    pub prefix: Prefix,
    pub kind: DecisionKind,
    pub origin: Origin,
}

/// One decision. Every instant is told from `made_ms`, so that a jump of the clock moves one field.
#[derive(Debug, Clone)]
pub struct Entry {
    pub high: u64,
    pub low: u64,
    /// When it was made, in milliseconds since 1970.
    pub made_ms: i64,
    /// The number in its id.
    pub number: u64,
    pub reason: Option<Reason>,
    /// How long it lasts, in seconds; [`FOR_EVER`].
    pub lasts_s: u32,
    /// How long it waits to be confirmed, in seconds; 0: it is final.
    pub confirm_s: u16,
    pub length: u8,
    /// Those of the [`Slot`].
    pub flags: u8,
}

const _: () = assert!(size_of::<Entry>() == 48);

const IS_V4: u8 = 1;
const IS_BLOCK: u8 = 2;
/// Where the origin begins among the flags.
const ORIGIN: u8 = 2;

impl Slot {
    /// Kind, origin and family in a byte, as the journal writes them too.
    pub fn flags(self) -> u8 {
        let origin = match self.origin {
            Origin::Feed => 0,
            Origin::Automatic => 1,
            Origin::Manual => 2,
        };
        origin << ORIGIN
            | if self.prefix.is_v4 { IS_V4 } else { 0 }
            | if self.kind == DecisionKind::Block { IS_BLOCK } else { 0 }
    }

    /// The slot of these flags; `None`: there are no such flags, or no such prefix.
    pub fn read(flags: u8, length: u8, bits: u128) -> Option<Self> {
        let origin = match flags >> ORIGIN {
            0 => Origin::Feed,
            1 => Origin::Automatic,
            2 => Origin::Manual,
            _ => return None,
        };
        let is_v4 = flags & IS_V4 != 0;
        let address = match is_v4 {
            true => IpAddr::V4(Ipv4Addr::from(u32::try_from(bits).ok()?)),
            false => IpAddr::V6(Ipv6Addr::from(bits)),
        };
        let prefix = (length <= if is_v4 { 32 } else { 128 }).then(|| Prefix::around(address, length))?;
        let kind = if flags & IS_BLOCK != 0 { DecisionKind::Block } else { DecisionKind::Allow };
        Some(Slot { prefix, kind, origin })
    }
}

impl Entry {
    /// A decision about `slot`, final and for ever, for no reason.
    pub fn new(slot: Slot, number: u64, made: Timestamp) -> Self {
        let Prefix { high, low, length, .. } = slot.prefix;
        let (made_ms, flags) = (made.unix_ms(), slot.flags());
        Entry { high, low, made_ms, number, reason: None, lasts_s: FOR_EVER, confirm_s: 0, length, flags }
    }

    /// The same with an end; a part of a second counts as a whole one.
    pub fn lasting(mut self, duration: Option<Duration>) -> Self {
        self.lasts_s = duration.map_or(FOR_EVER, |d| {
            u32::try_from(d.as_millis().div_ceil(1000)).unwrap_or(FOR_EVER).min(FOR_EVER - 1)
        });
        self
    }

    /// The same, waiting to be confirmed for at most 18 hours; a part of a second counts as a whole one.
    pub fn waiting(mut self, confirm: Option<Duration>) -> Self {
        self.confirm_s =
            confirm.map_or(0, |d| u16::try_from(d.as_millis().div_ceil(1000)).unwrap_or(u16::MAX).max(1));
        self
    }

    pub fn prefix(&self) -> Prefix {
        Prefix { high: self.high, low: self.low, length: self.length, is_v4: self.flags & IS_V4 != 0 }
    }

    pub fn kind(&self) -> DecisionKind {
        if self.flags & IS_BLOCK != 0 { DecisionKind::Block } else { DecisionKind::Allow }
    }

    pub fn origin(&self) -> Origin {
        match self.flags >> ORIGIN {
            0 => Origin::Feed,
            1 => Origin::Automatic,
            _ => Origin::Manual,
        }
    }

    pub fn slot(&self) -> Slot {
        Slot { prefix: self.prefix(), kind: self.kind(), origin: self.origin() }
    }

    /// Whether it waits to be confirmed.
    pub fn is_waiting(&self) -> bool {
        self.confirm_s != 0
    }

    /// When it ends, in milliseconds since 1970; `i64::MAX`: never.
    pub fn ends_ms(&self) -> i64 {
        let after = |seconds: u32| self.made_ms.saturating_add(i64::from(seconds) * 1000);
        let expires = if self.lasts_s == FOR_EVER { i64::MAX } else { after(self.lasts_s) };
        if self.is_waiting() { expires.min(after(self.confirm_s.into())) } else { expires }
    }

    /// The decision as the API and the log tell it.
    pub fn decision(&self) -> Decision {
        let created_at = Timestamp::from_unix_ms(self.made_ms);
        let after = |seconds: u32| created_at.after(Duration::from_secs(seconds.into()));
        Decision {
            id: id_of(self.number),
            scope: self.prefix().net(),
            kind: self.kind(),
            origin: self.origin(),
            reason: self.reason.as_ref().map_or_else(String::new, |reason| reason.as_str().to_owned()),
            created_at,
            expires_at: (self.lasts_s != FOR_EVER).then(|| after(self.lasts_s)),
            confirm_by: self.is_waiting().then(|| after(self.confirm_s.into())),
        }
    }
}

impl Candidate for Entry {
    fn standing(&self) -> Standing {
        Standing {
            precedence: Precedence::of(self.kind(), self.origin()),
            prefix_len: self.length,
            created_at: Timestamp::from_unix_ms(self.made_ms),
            number: self.number,
        }
    }

    fn is_in_force(&self, now: Timestamp) -> bool {
        now.unix_ms() < self.ends_ms()
    }
}

/// `dec_12` for 12.
pub fn id_of(number: u64) -> String {
    format!("dec_{number}")
}

/// 12 for `dec_12`; `None`: it is the id of no decision.
pub fn number_of(id: &str) -> Option<u64> {
    id.strip_prefix("dec_")?.parse().ok()
}

/// The address as lookups mean it.
pub fn host(address: IpAddr) -> Prefix {
    let address = canonical(address);
    Prefix::around(address, if address.is_ipv4() { 32 } else { 128 })
}
