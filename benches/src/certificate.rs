//! The one certificate all proxies serve: ECDSA on P-256, self-signed, made anew for each run.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;

/// The only TLS 1.3 cipher suite of a run: the first that both OpenSSL and rustls prefer.
pub const CIPHER_SUITE: &str = "TLS_AES_256_GCM_SHA384";

/// Where the parts lie, in PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate.
    pub chain: PathBuf,
    /// Its key, PKCS #8.
    pub key: PathBuf,
    /// Both in one file, as HAProxy wants them.
    pub bundle: PathBuf,
}

impl Certificate {
    /// Makes a certificate for `127.0.0.1` in `dir`.
    pub fn make(dir: &Path) -> Outcome<Self> {
        let [chain, key, bundle] = ["cert.pem", "key.pem", "bundle.pem"].map(|name| dir.join(name));
        let made = Command::new("openssl")
            .args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(' '))
            .args("-subj /CN=bench -addext subjectAltName=IP:127.0.0.1".split(' '))
            // Clients that take it for their only root refuse a root that is itself the server's certificate.
            .args("-addext basicConstraints=critical,CA:FALSE -keyout".split(' '))
            .arg(&key)
            .arg("-out")
            .arg(&chain)
            .output()
            .map_err(|e| format!("starting openssl (package openssl): {e}"))?;
        if !made.status.success() {
            let said = String::from_utf8_lossy(&made.stderr);
            return Err(format!("openssl made no certificate ({}): {said}", made.status));
        }
        let read = |path: &Path| std::fs::read(path).map_err(|e| format!("reading {}: {e}", path.display()));
        let both = [read(&chain)?, read(&key)?].concat();
        std::fs::write(&bundle, both).map_err(|e| format!("writing {}: {e}", bundle.display()))?;
        Ok(Self { chain, key, bundle })
    }
}

/// The protocol and cipher suite that a client such as `wrk` gets on `port`; an error if they are not the
/// ones that the comparison is about.
pub async fn check_cipher(name: &str, port: u16) -> Outcome<()> {
    let output = tokio::process::Command::new("openssl")
        .args(["s_client", "-brief", "-connect", &format!("127.0.0.1:{port}")])
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|e| format!("starting openssl s_client (package openssl): {e}"))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    if said.contains("TLSv1.3") && said.contains(CIPHER_SUITE) {
        return Ok(());
    }
    Err(format!("{name} does not negotiate TLS 1.3 with {CIPHER_SUITE}, as the others do:\n{said}"))
}
