//! The stages of a request by name, for `explain`: a trace keeps the one that a request came to.

macro_rules! stages {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// A stage of a request, in the order in which they follow each other.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
        #[repr(u8)]
        pub enum Stage { $($(#[$doc])* $variant),+ }

        impl Stage {
            /// Every stage, in order; `stage as usize` indexes it.
            pub const ALL: &'static [Stage] = &[$(Stage::$variant),+];

            /// The name in `explain`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Stage::$variant => $name),+ }
            }
        }
    };
}

stages! {
    /// Its head is read, strictly.
    #[default]
    Head = "head",
    /// Decisions about the client.
    Decision = "decision",
    /// Method and length of the body.
    Limits = "limits",
    /// How often the client asks.
    Rates = "rates",
    /// The firewall over the head.
    FirewallHead = "firewall_head",
    /// The firewall over the body, where it is inspected.
    FirewallBody = "firewall_body",
    /// The request at the backend.
    Upstream = "upstream",
    /// The answer on its way to the client.
    Answer = "answer",
}

/// What else a trace tells of a request: bits of its flags.
pub mod flag {
    /// The request went no further, and the client was told.
    pub const STOPPED: u8 = 1;
    /// The firewall, or a rate, found something and let the request go on.
    pub const LOGGED: u8 = 1 << 1;
    /// Something was taken out of the request.
    pub const SANITIZED: u8 = 1 << 2;
    /// An allowlist entry spared the client decisions and rates.
    pub const ALLOWED: u8 = 1 << 3;
    /// The kill switch, or the site, had the firewall only log.
    pub const MONITORED: u8 = 1 << 4;
    /// The kill switch, the site or the settings had the firewall off.
    pub const UNWATCHED: u8 = 1 << 5;
    /// A body was inspected.
    pub const BODY_INSPECTED: u8 = 1 << 6;
    /// A body was inspected in its first part only.
    pub const BODY_CUT: u8 = 1 << 7;
}
