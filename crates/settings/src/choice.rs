//! Values that are one of a few words.

use crate::key::{Key, Kind};
use crate::value::{Raw, Value, mismatch, quote};

macro_rules! choice {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// The word in the configuration.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// The value of this word, if there is one.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some($name::$variant),)+ _ => None }
            }
        }

        impl Value for $name {
            const KIND: Kind = Kind::Choice(&[$($word),+]);

            fn read(raw: &Raw, key: &Key) -> Result<Self, String> {
                match raw {
                    Raw::Text(word) | Raw::String(word) => Self::from_word(word.trim()),
                    _ => None,
                }
                .ok_or_else(|| mismatch(Self::KIND, raw, key))
            }

            fn write(&self) -> String {
                quote(self.as_str())
            }
        }
    };
}

choice! {
    /// What the node does with a connection.
    Mode {
        /// Terminates HTTP and inspects requests.
        L7 = "l7",
        /// Forwards bytes.
        Tcp = "tcp",
        /// Answers SYN floods in the kernel.
        Syn = "syn",
    }
}

choice! {
    /// A version of TLS.
    TlsVersion {
        /// RFC 5246.
        V1_2 = "TLSv1.2",
        /// RFC 8446.
        V1_3 = "TLSv1.3",
    }
}

choice! {
    /// What the firewall does with what it finds.
    WafMode {
        /// Acts on it.
        Block = "block",
        /// Only logs it.
        Monitor = "monitor",
    }
}

choice! {
    /// What the firewall does with what it finds in the requests of one site.
    SiteMode {
        /// Acts on it.
        Block = "block",
        /// Only logs it.
        Monitor = "monitor",
        /// Does not look.
        Off = "off",
    }
}

choice! {
    /// The shape of the access log.
    AccessFormat {
        /// One JSON object a line.
        Json = "json",
        /// The combined format of Apache and nginx, and the request's id.
        Combined = "combined",
    }
}

choice! {
    /// What happens to a body that is longer than what is inspected.
    OnOverLimit {
        /// Its first part is inspected and the rest streams.
        Pass = "pass",
        /// It is answered 413.
        Block = "block",
    }
}

choice! {
    /// What happens to a request on which rules have worked more than they may.
    OnBudget {
        /// It is answered 403.
        Block = "block",
        /// It goes on, looked at no further.
        Pass = "pass",
    }
}

choice! {
    /// How important a line of the log is. Ordered: `Error < Warn < Info < Debug < Trace`.
    Level {
        /// Something failed.
        Error = "error",
        /// Something needs attention; attacks are of this level.
        Warn = "warn",
        /// What happened.
        Info = "info",
        /// How it happened.
        Debug = "debug",
        /// Every step.
        Trace = "trace",
    }
}

choice! {
    /// The shape of the log.
    Format {
        /// One JSON object a line.
        Json = "json",
        /// For people.
        Pretty = "pretty",
        /// Elastic Common Schema.
        Ecs = "ecs",
    }
}
