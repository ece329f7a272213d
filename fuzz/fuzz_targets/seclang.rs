//! A text of rules, which may include itself and take phrases from itself, is read to rules or to errors that can be printed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use secbeat_seclang::{Entry, Item, Sources, load};
use std::io;
use std::path::{Path, PathBuf};

struct Itself<'a>(&'a [u8]);

impl Sources for Itself<'_> {
    fn read(&self, path: &Path, _: usize) -> io::Result<Vec<u8>> {
        if path.as_os_str().len() > 8 { Err(io::ErrorKind::NotFound.into()) } else { Ok(self.0.to_vec()) }
    }

    fn glob(&self, pattern: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(vec![pattern.with_file_name("b"), pattern.with_file_name("a")])
    }
}

fuzz_target!(|text: &[u8]| {
    match load(&Itself(text), &[Entry::File("a".into())]) {
        Ok(set) => {
            for item in &set.items {
                let Item::Rule(rule) = item else { continue };
                assert!(rule.actions.id > 0 && !rule.links.is_empty());
                for test in rule.links.iter().filter_map(|link| link.test.as_ref()) {
                    assert!(test.targets.iter().all(|target| !target.to_string().is_empty()));
                }
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty() && errors.len() <= 51);
            assert!(errors.iter().all(|error| error.to_string().len() > error.file.len()));
        }
    }
});
