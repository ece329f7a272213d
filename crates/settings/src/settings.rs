//! All sections together, and what changed between two of them.

use crate::key::{Effect, Key};
use crate::section::Section;
use crate::sections::*;

macro_rules! settings {
    (
        plain { $($(#[$doc:meta])+ $plain:ident : $plain_type:ident),+ $(,)? }
        optional { $($(#[$optional_doc:meta])+ $optional:ident : $optional_type:ident),+ $(,)? }
    ) => {
        /// What the operator asked for. [`Settings::load`] makes it; the default is what an empty file would mean if the
        /// backend were at 127.0.0.1:8080.
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct Settings {
            $($(#[$doc])+ pub $plain: $plain_type,)+
            $($(#[$optional_doc])+ pub $optional: Option<$optional_type>,)+
        }

        /// Every section: its name, what it is about, its keys.
        pub(crate) const SECTIONS: &[(&str, &str, &[Key])] = &[
            $(($plain_type::NAME, $plain_type::ABOUT, $plain_type::KEYS),)+
            $(($optional_type::NAME, $optional_type::ABOUT, $optional_type::KEYS),)+
        ];

        impl Settings {
            /// The section of this name; `None` where it is unknown or absent.
            pub(crate) fn section(&self, name: &str) -> Option<&dyn Section> {
                match name {
                    $($plain_type::NAME => Some(&self.$plain),)+
                    $($optional_type::NAME => self.$optional.as_ref().map(|section| section as &dyn Section),)+
                    _ => None,
                }
            }

            /// The section of this name, made with its defaults where it is absent; `None` where it is unknown.
            pub(crate) fn section_mut(&mut self, name: &str) -> Option<&mut dyn Section> {
                match name {
                    $($plain_type::NAME => Some(&mut self.$plain),)+
                    $($optional_type::NAME => Some(self.$optional.get_or_insert_default()),)+
                    _ => None,
                }
            }
        }
    };
}

settings! {
    plain {
        /// `[server]`
        server: Server,
        /// `[syn_proxy]`
        syn_proxy: SynProxy,
        /// `[waf]`
        waf: Waf,
        /// `[metrics]`
        metrics: Metrics,
        /// `[logging]`
        logging: Logging,
        /// `[performance]`
        performance: Performance,
        /// `[limits]`
        limits: Limits,
        /// `[timeouts]`
        timeouts: Timeouts,
    }
    optional {
        /// `[tls]`; `None`: plain HTTP.
        tls: Tls,
        /// `[orchestrator]`; `None`: the node stands alone.
        orchestrator: Orchestrator,
    }
}

/// What changed between two settings, as keys such as `waf.rate_limit_rps`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Every key whose value differs.
    pub changed: Vec<String>,
    /// Those of them that act only at the next start.
    pub restart_required: Vec<String>,
}

impl Settings {
    /// What differs in `new`. A section that appears or goes takes its keys with it and needs a restart.
    pub fn changes(&self, new: &Settings) -> Changes {
        let mut changes = Changes::default();
        for &(name, _, keys) in SECTIONS {
            let (old, new) = (self.section(name), new.section(name));
            let write = |section: Option<&dyn Section>, key| section.map(|section| section.write(key));
            for key in keys.iter().filter(|key| write(old, key) != write(new, key)) {
                changes.changed.push(key.path());
                if key.effect == Effect::Restart || old.is_some() != new.is_some() {
                    changes.restart_required.push(key.path());
                }
            }
        }
        changes
    }

    /// The value of a key as TOML, `[secret]` for a secret that is set, empty where nothing is set or the key is unknown.
    pub fn show(&self, path: &str) -> String {
        let Some(key) = keys().find(|key| key.path() == path) else { return String::new() };
        let value = self.section(key.section).map(|section| section.write(key)).unwrap_or_default();
        if key.is_secret() && !value.is_empty() { "[secret]".into() } else { value }
    }
}

/// Every key of every section.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    SECTIONS.iter().flat_map(|(_, _, keys)| keys.iter())
}
