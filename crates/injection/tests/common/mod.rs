//! What the tests and the measurement share: libinjection in C, and values to compare on.
#![allow(unsafe_code, dead_code)]

use std::ffi::{c_char, c_int};
use std::path::PathBuf;

use libloading::Library;

type Sqli = unsafe extern "C" fn(*const c_char, usize, *mut c_char) -> c_int;
type Xss = unsafe extern "C" fn(*const c_char, usize) -> c_int;

/// The libinjection inside ModSecurity's library, or the one that `LIBINJECTION` names.
pub struct Oracle {
    sqli: Sqli,
    xss: Xss,
    _library: Library,
}

impl Oracle {
    /// Nothing if the library is not installed.
    pub fn load() -> Option<Oracle> {
        let name = std::env::var_os("LIBINJECTION").unwrap_or_else(|| "libmodsecurity.so.3".into());
        // SAFETY: both are functions of libinjection's public interface, with the types declared above, and live as
        // long as the library, which is kept. Loading it runs the initialisers of C++ libraries alone.
        unsafe {
            let library = Library::new(name).ok()?;
            let sqli = *library.get::<Sqli>(b"libinjection_sqli").ok()?;
            let xss = *library.get::<Xss>(b"libinjection_xss").ok()?;
            Some(Oracle { sqli, xss, _library: library })
        }
    }

    /// The fingerprint, if `value` is SQL injection. NULs must follow the value, as they follow a string of C++: the
    /// library reads past its end.
    pub fn sqli(&self, value: &[u8], padded: &[u8]) -> Option<Vec<u8>> {
        assert!(padded.len() > value.len() + 1);
        let mut fingerprint = [0u8; 16];
        // SAFETY: `padded` holds the value and more; a fingerprint has at most five letters and a NUL.
        let found =
            unsafe { (self.sqli)(padded.as_ptr().cast(), value.len(), fingerprint.as_mut_ptr().cast()) };
        let letters = fingerprint.split(|letter| *letter == 0).next();
        (found != 0).then(|| letters.unwrap_or_default().to_vec())
    }

    /// Whether `value` is cross-site scripting.
    pub fn xss(&self, value: &[u8], padded: &[u8]) -> bool {
        assert!(padded.len() > value.len() + 1);
        // SAFETY: `padded` holds the value and more.
        unsafe { (self.xss)(padded.as_ptr().cast(), value.len()) != 0 }
    }
}

/// The value and NULs after it.
pub fn padded(value: &[u8]) -> Vec<u8> {
    [value, &[0; 64]].concat()
}

/// All payloads of the corpora: (whether they are attacks, the value). Nothing if there are no corpora.
pub fn payloads() -> Option<Vec<(bool, Vec<u8>)>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/payloads");
    let mut values = Vec::new();
    let rows = |name| Some(csv(&std::fs::read(folder.join(name)).ok()?));
    for row in rows("httpparams.csv")?.into_iter().skip(1) {
        values.push((row[3] != b"norm", row[0].clone()));
    }
    for row in rows("grananqvist.csv")?.into_iter().skip(1) {
        values.push((row[3] != b"LEGAL", row[1].clone()));
    }
    for (name, attack) in [("modsec-learn-legitimate.json", false), ("modsec-learn-malicious.json", true)] {
        let text = std::fs::read(folder.join(name)).ok()?;
        for query in serde_json::from_slice::<Vec<String>>(&text).ok()? {
            for field in query.split('&') {
                values.push((attack, decoded(field.split_once('=').map_or(field, |(_, value)| value))));
            }
            values.push((attack, query.into_bytes()));
        }
    }
    Some(values)
}

/// Rows of RFC 4180: fields may be quoted, and then hold commas, line feeds and doubled quotes.
fn csv(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), Vec::new(), false);
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted && bytes.next_if_eq(&b'"').is_some() => field.push(b'"'),
            b'"' if quoted || field.is_empty() => quoted = !quoted,
            b',' if !quoted => row.push(std::mem::take(&mut field)),
            b'\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            b'\r' if !quoted => {}
            byte => field.push(byte),
        }
    }
    rows
}

fn decoded(text: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = &tail[2..];
                continue;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(*first),
        }
        rest = tail;
    }
    out
}
