//! The table of a section: one declaration gives the struct, its defaults, its reader and its reference.

use crate::key::Key;
use crate::value::Raw;

/// A section seen by the names of its keys.
pub(crate) trait Section {
    /// Reads `raw` into the key of this name; an error says what was expected and found.
    fn set(&mut self, key: &Key, raw: &Raw) -> Result<(), String>;

    /// The key's value as TOML, secrets in clear; empty where there is none.
    fn write(&self, key: &Key) -> String;
}

/// Declares a section:
///
/// ```text
/// section! {
///     /// What it is about.
///     Server = "server" {
///         /// What the key means.
///         worker_threads: usize = 0 => range(0.0, 1024.0), restart(), alias("WORKER_THREADS");
///     }
/// }
/// ```
///
/// What follows `=>` are builders of [`Key`].
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $name:ident = $section:literal {
            $(
                $(#[doc = $doc:literal])+
                $field:ident : $type:ty = $default:expr $(=> $($builder:ident($($argument:expr),*)),+)?;
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: $type,)+
        }

        impl $name {
            /// The section's name in the file.
            pub const NAME: &'static str = $section;
            /// What the section is about.
            pub const ABOUT: &'static str = concat!($($about),+);
            /// Its keys.
            pub const KEYS: &'static [$crate::key::Key] = &[
                $(
                    $crate::key::Key::new(
                        $section,
                        stringify!($field),
                        concat!($($doc),+),
                        <$type as $crate::value::Value>::KIND,
                    )
                    $($(.$builder($($argument),*))+)?,
                )+
            ];
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $crate::section::Section for $name {
            fn set(&mut self, key: &$crate::key::Key, raw: &$crate::value::Raw) -> Result<(), String> {
                match key.name {
                    $(stringify!($field) => self.$field = $crate::value::Value::read(raw, key)?,)+
                    other => return Err(format!("[{}] has no key {other}", $section)),
                }
                Ok(())
            }

            fn write(&self, key: &$crate::key::Key) -> String {
                match key.name {
                    $(stringify!($field) => $crate::value::Value::write(&self.$field),)+
                    _ => String::new(),
                }
            }
        }
    };
}

pub(crate) use section;
