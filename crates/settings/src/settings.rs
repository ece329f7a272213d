//! All sections together, and what changed between two of them.

use crate::key::{Effect, Key};
use crate::load::path;
use crate::section::Section;
use crate::sections::*;
use zeroize::{Zeroize, Zeroizing};

macro_rules! settings {
    (
        plain { $($(#[$doc:meta])+ $plain:ident : $plain_type:ident),+ $(,)? }
        optional { $($(#[$optional_doc:meta])+ $optional:ident : $optional_type:ident),+ $(,)? }
        tables { $($(#[$table_doc:meta])+ $table:ident : $table_type:ident),+ $(,)? }
    ) => {
        /// What the operator asked for. [`Settings::load`] makes it; the default is what an empty file would mean if the
        /// backend were at 127.0.0.1:8080.
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct Settings {
            $($(#[$doc])+ pub $plain: $plain_type,)+
            $($(#[$optional_doc])+ pub $optional: Option<$optional_type>,)+
            $($(#[$table_doc])+ pub $table: Vec<$table_type>,)+
        }

        /// Every section: its name, what it is about, its keys.
        pub(crate) const SECTIONS: &[(&str, &str, &[Key])] = &[
            $(($plain_type::NAME, $plain_type::ABOUT, $plain_type::KEYS),)+
            $(($optional_type::NAME, $optional_type::ABOUT, $optional_type::KEYS),)+
        ];

        /// Every section that may stand several times, `[[sites]]`, likewise.
        pub(crate) const TABLES: &[(&str, &str, &[Key])] = &[
            $(($table_type::NAME, $table_type::ABOUT, $table_type::KEYS),)+
        ];

        /// An example of each of [`TABLES`], TOML.
        pub(crate) const EXAMPLES: &[(&str, &str)] = &[
            $(($table_type::NAME, $table_type::EXAMPLE),)+
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

            /// The tables of this name, each with its label; none where it is unknown.
            pub(crate) fn rows(&self, name: &str) -> Vec<(String, &dyn Section)> {
                match name {
                    $($table_type::NAME => {
                        self.$table.iter().map(|row| (row.label(), row as &dyn Section)).collect()
                    })+
                    _ => Vec::new(),
                }
            }

            /// One more table of this name, with its defaults; `None` where the name is unknown.
            pub(crate) fn push_row(&mut self, name: &str) -> Option<()> {
                match name {
                    $($table_type::NAME => self.$table.push($table_type::default()),)+
                    _ => return None,
                }
                Some(())
            }

            /// The table of this name and number (from 0).
            pub(crate) fn row_mut(&mut self, name: &str, row: usize) -> Option<&mut dyn Section> {
                match name {
                    $($table_type::NAME => self.$table.get_mut(row).map(|row| row as &mut dyn Section),)+
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
        /// `[waf.csrf]`
        csrf: Csrf,
        /// `[waf.crs]`
        crs: Crs,
        /// `[metrics]`
        metrics: Metrics,
        /// `[logging]`
        logging: Logging,
        /// `[access_log]`
        access_log: AccessLog,
        /// `[audit_log]`
        audit_log: AuditLog,
        /// `[recorder]`
        recorder: Recorder,
        /// `[retention]`
        retention: Retention,
        /// `[error_pages]`
        error_pages: ErrorPages,
        /// `[performance]`
        performance: Performance,
        /// `[limits]`
        limits: Limits,
        /// `[timeouts]`
        timeouts: Timeouts,
        /// `[sandbox]`
        sandbox: Sandbox,
    }
    optional {
        /// `[tls]`; `None`: plain HTTP.
        tls: Tls,
        /// `[orchestrator]`; `None`: the node stands alone.
        orchestrator: Orchestrator,
    }
    tables {
        /// `[[sites]]`, in the order of the file.
        sites: Site,
        /// `[[rate_limits]]`, in the order of the file.
        rate_limits: RateLimit,
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
    /// What differs in `new`. A section that appears or goes takes its keys with it and needs a restart; a `[[table]]`
    /// does not, and is known by its name: `sites.shop.example`, or `sites.shop.example.waf_mode` where it stays.
    pub fn changes(&self, new: &Settings) -> Changes {
        let mut changes = Changes::default();
        for &(name, _, keys) in SECTIONS {
            let (old, new) = (self.section(name), new.section(name));
            let write = |section: Option<&dyn Section>, key| {
                section.map(|section| Zeroizing::new(section.write(key)))
            };
            for key in keys.iter().filter(|key| write(old, key) != write(new, key)) {
                changes.changed.push(key.path());
                if key.effect == Effect::Restart || old.is_some() != new.is_some() {
                    changes.restart_required.push(key.path());
                }
            }
        }
        for &(name, _, keys) in TABLES {
            changes.changed.extend(changed_rows(name, keys, &self.rows(name), &new.rows(name)));
        }
        changes
    }

    /// The value of a key as TOML, `[secret]` for a secret that is set, empty where nothing is set or the key is unknown.
    pub fn show(&self, path: &str) -> String {
        let Some(key) = keys().find(|key| key.path() == path) else { return String::new() };
        self.section(key.section).map(|section| shown(section, key)).unwrap_or_default()
    }

    /// Every key with its value, as [`Settings::show`] gives it, under the path that [`Loaded::origin`] knows:
    /// `waf.enable`, `sites[2].hosts`. Keys without a value and those of absent sections are left out.
    ///
    /// [`Loaded::origin`]: crate::Loaded::origin
    pub fn values(&self) -> impl Iterator<Item = (String, String)> {
        let once = keys().filter_map(|key| Some((key.path(), shown(self.section(key.section)?, key))));
        let rows = TABLES.iter().flat_map(|&(name, _, keys)| {
            self.rows(name).into_iter().enumerate().flat_map(move |(number, (_, row))| {
                keys.iter().map(move |key| (path(key, Some(number)), shown(row, key)))
            })
        });
        once.chain(rows).filter(|(_, value)| !value.is_empty())
    }
}

fn shown(section: &dyn Section, key: &Key) -> String {
    let mut value = section.write(key);
    if key.is_secret() && !value.is_empty() {
        value.zeroize();
        value.push_str("[secret]");
    }
    value
}

type Row<'a> = (String, &'a dyn Section);

/// The differences between two lists of tables, told apart by their labels.
fn changed_rows(table: &str, keys: &[Key], old: &[Row<'_>], new: &[Row<'_>]) -> Vec<String> {
    fn find<'a>(rows: &'a [Row<'_>], label: &str) -> Option<&'a dyn Section> {
        rows.iter().find(|(known, _)| known == label).map(|(_, row)| *row)
    }
    let mut changed = Vec::new();
    for (label, row) in new {
        match find(old, label) {
            None => changed.push(format!("{table}.{label}")),
            Some(before) => {
                let differs = keys.iter().filter(|key| before.write(key) != row.write(key));
                changed.extend(differs.map(|key| format!("{table}.{label}.{}", key.name)));
            }
        }
    }
    let gone = old.iter().filter(|(label, _)| find(new, label).is_none());
    changed.extend(gone.map(|(label, _)| format!("{table}.{label}")));
    let is_reordered = || !old.iter().map(|(label, _)| label).eq(new.iter().map(|(label, _)| label));
    if changed.is_empty() && is_reordered() {
        changed.push(table.to_owned());
    }
    changed
}

/// Every key of every section that stands once.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    SECTIONS.iter().flat_map(|(_, _, keys)| keys.iter())
}

/// Every key of the sections that may stand several times, `[[sites]]` and `[[rate_limits]]`.
pub fn table_keys() -> impl Iterator<Item = &'static Key> {
    TABLES.iter().flat_map(|(_, _, keys)| keys.iter())
}
