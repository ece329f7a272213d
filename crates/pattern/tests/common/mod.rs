//! What the tests and the example look at: the rules of an installed Core Rule Set, and values from the corpora.

#![allow(dead_code)] // Each of those who share it uses a part.
#![allow(clippy::unwrap_used)] // What is missing is the failure of the test that asks for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a rule searches for.
#[derive(Debug, Clone)]
pub enum Search {
    Expression(String),
    Phrases(Vec<Arc<[u8]>>),
}

/// A `SecRule` with `@rx`, `@pm` or `@pmFromFile`.
#[derive(Debug, Clone)]
pub struct Rule {
    pub id: String,
    pub line: usize,
    pub response: bool,
    pub negated: bool,
    pub head: bool,
    pub search: Search,
}

/// The folder of the rules: `SECBEAT_CRS_RULES`, or Debian's.
pub fn rules_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("SECBEAT_CRS_RULES")
        .map_or_else(|| PathBuf::from("/usr/share/modsecurity-crs/rules"), PathBuf::from);
    if !folder.is_dir() {
        println!("skipped: no rules in {}", folder.display());
        return None;
    }
    Some(folder)
}

/// The rules that search, without those whose argument holds macros.
pub fn rules() -> Vec<Rule> {
    let Some(folder) = rules_folder() else { return Vec::new() };
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "conf"));
    files.sort();
    files.iter().flat_map(|path| read(path)).collect()
}

fn read(path: &Path) -> Vec<Rule> {
    let text = fs::read_to_string(path).unwrap();
    let response = path.file_name().unwrap().to_string_lossy().starts_with("RESPONSE");
    let mut rules = Vec::new();
    let mut directive = String::new();
    let mut chained = false;
    for (index, line) in text.lines().enumerate() {
        if directive.is_empty() && line.trim_start().starts_with('#') {
            continue;
        }
        if let Some(part) = line.strip_suffix('\\') {
            directive.push_str(part);
            continue;
        }
        directive.push_str(line);
        let whole = std::mem::take(&mut directive);
        let Some(rest) = whole.trim_start().strip_prefix("SecRule ") else { continue };
        let Some((_, rest)) = rest.trim_start().split_once(" \"") else { continue };
        let (operator, actions) = quoted(rest);
        let id = actions.split("id:").nth(1).map_or("", |id| id.split([',', '"']).next().unwrap());
        let head = !chained;
        chained = actions.split([',', '"']).any(|action| action.trim() == "chain");
        let (negated, operator) = match operator.strip_prefix('!') {
            Some(rest) => (true, rest.to_owned()),
            None => (false, operator),
        };
        let (name, argument) = match operator.strip_prefix('@') {
            Some(operator) => match operator.split_once(' ') {
                Some((name, argument)) => (name.to_owned(), argument.to_owned()),
                None => (operator.to_owned(), String::new()),
            },
            None => ("rx".to_owned(), operator),
        };
        let search = match name.as_str() {
            "rx" if !argument.contains("%{") => Search::Expression(argument),
            "pm" => Search::Phrases(argument.split_whitespace().map(|word| word.as_bytes().into()).collect()),
            "pmFromFile" | "pmf" => {
                let data = fs::read_to_string(path.with_file_name(argument.trim())).unwrap();
                let lines =
                    data.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
                Search::Phrases(lines.map(|line| line.as_bytes().into()).collect())
            }
            _ => continue,
        };
        rules.push(Rule { id: id.to_owned(), line: index + 1, response, negated, head, search });
    }
    rules
}

/// What stands up to the closing quote, and the rest.
fn quoted(text: &str) -> (String, String) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' if text[at + 1..].starts_with('"') => {
                value.push('"');
                chars.next();
            }
            '"' => return (value, text[at + 1..].to_owned()),
            _ => value.push(char),
        }
    }
    (value, String::new())
}

/// Values of the corpora: attacks and benign ones, every `step`-th of each file, decoded and not.
pub fn corpus(step: usize) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let mut values = Vec::new();
    if !folder.is_dir() {
        println!("skipped: no corpora in {}", folder.display());
        return values;
    }
    for file in
        ["httpparams.csv", "grananqvist.csv", "modsec-learn-legitimate.json", "modsec-learn-malicious.json"]
    {
        let text = fs::read(folder.join("payloads").join(file)).unwrap();
        let lines = text.split(|byte| *byte == b'\n').step_by(step);
        values.extend(lines.map(|line| line.trim_ascii().trim_ascii_start().to_vec()));
    }
    let log = fs::read(folder.join("access-logs/elastic-apache.log")).unwrap();
    values.extend(log.split(|byte| *byte == b'\n').step_by(step).map(<[u8]>::to_vec));
    for version in ["3.3.4", "4.28.0"] {
        let Ok(folders) = fs::read_dir(folder.join("crs-tests").join(version)) else { continue };
        let mut files: Vec<PathBuf> = folders
            .flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap())
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        for file in files {
            let text = fs::read(file).unwrap();
            for line in text.split(|byte| *byte == b'\n').step_by(step.min(4)) {
                let value = line.splitn(2, |byte| *byte == b':').nth(1).unwrap_or(line).trim_ascii();
                let value = value.strip_prefix(b"\"").unwrap_or(value);
                let value = value.strip_suffix(b"\"").unwrap_or(value);
                values.push(value.to_vec());
                if value.contains(&b'%') || value.contains(&b'+') {
                    values.push(decoded(value));
                }
            }
        }
    }
    values.retain(|value| !value.is_empty());
    values.sort();
    values.dedup();
    values
}

fn decoded(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = value;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let hex = rest.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (byte, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = &rest[2..];
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(*byte),
        }
    }
    out
}

/// A small generator of numbers, from a seed.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % limit.max(1) as u64) as usize
    }

    /// The value with a few bytes changed, doubled, taken out, or put in from another.
    pub fn mutated(&mut self, value: &[u8], other: &[u8]) -> Vec<u8> {
        let mut value = value.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(value.len() + 1);
            match self.below(6) {
                0 if at < value.len() => value[at] = self.below(256) as u8,
                1 if at < value.len() => value[at] ^= 0x20,
                2 if at < value.len() => drop(value.remove(at)),
                3 => value.insert(at, b"\n \0'\"<(/;\xC3"[self.below(10)]),
                4 => value.truncate(at),
                _ => {
                    let from = self.below(other.len() + 1);
                    let to = (from + self.below(24)).min(other.len());
                    value.splice(at..at, other[from..to].iter().copied());
                }
            }
        }
        value
    }
}

/// Nanoseconds that this thread has run so far: what others do on the machine does not count.
pub fn cpu_nanos() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}
