//! libinjection in C, to compare with.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int};

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
