//! Loading from text, with no file and no process environment.
#![allow(dead_code)]

use secbeat_settings::{Errors, Loaded, Settings, Sources};
use std::io;
use std::path::{Path, PathBuf};

/// What a test puts into the layers. The file is called `config/production.toml`.
#[derive(Default)]
pub struct Layers<'a> {
    pub file: Option<&'a str>,
    pub environment: &'a [(&'a str, &'a str)],
    pub sets: &'a [&'a str],
    /// Other files, by path.
    pub files: &'a [(&'a str, &'a str)],
}

impl Layers<'_> {
    pub fn load(&self) -> Result<Loaded, Errors> {
        let read = |path: &Path| {
            let of_config = (path == Path::new("config/production.toml")).then_some(self.file).flatten();
            let other = self.files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| *text);
            of_config.or(other).map(str::to_owned).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        };
        Settings::load(&Sources {
            path: self.file.map(|_| PathBuf::from("config/production.toml")),
            environment: self
                .environment
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            sets: self.sets.iter().map(|set| (*set).into()).collect(),
            read: &read,
        })
    }
}

/// Loads a file alone.
pub fn load(file: &str) -> Result<Loaded, Errors> {
    Layers { file: Some(file), ..Layers::default() }.load()
}

/// The errors of a file that has any, as printed.
pub fn errors(file: &str) -> String {
    load(file).expect_err("the file should be refused").to_string()
}

/// The smallest file that loads.
pub const SMALLEST: &str = "[server]\nbackend_address = \"127.0.0.1:8080\"\n";

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file of the repository.
pub fn text_of(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
