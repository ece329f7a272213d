//! Certificates.

use rcgen::generate_simple_self_signed;
use std::fs;
use std::path::{Path, PathBuf};

/// A self-signed certificate and its key, PEM.
pub struct Certificate {
    /// The certificate.
    pub cert: String,
    /// The private key.
    pub key: String,
    /// The certificate, DER.
    pub der: Vec<u8>,
}

impl Certificate {
    /// A new certificate for `name`, `localhost` and 127.0.0.1.
    pub fn for_name(name: &str) -> Self {
        let names = [name, "localhost", "127.0.0.1"].map(str::to_owned).to_vec();
        let made = generate_simple_self_signed(names).unwrap();
        Self { cert: made.cert.pem(), key: made.signing_key.serialize_pem(), der: made.cert.der().to_vec() }
    }

    /// Writes both to `dir`, over what is there: `cert.pem` and `key.pem`.
    pub fn write(&self, dir: &Path) -> (PathBuf, PathBuf) {
        let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
        fs::write(&cert, &self.cert).unwrap();
        fs::write(&key, &self.key).unwrap();
        (cert, key)
    }
}
