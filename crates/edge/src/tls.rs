//! Certificates and keys from disk to a `rustls` configuration.
//!
//! One provider (aws-lc-rs), TLS 1.3 and 1.2 as configured, HTTP/1.1 by ALPN. Session tickets and the session cache outlive
//! a reload ([`Sessions`]), so that a new certificate costs returning clients no full handshake.

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ProducesTickets, ServerSessionMemoryCache, StoresServerSessions};
use rustls::{ServerConfig, SupportedProtocolVersion};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// TLS 1.2 sessions kept for clients without tickets; the library's default of 256 is too small for a site.
const SESSIONS_MAX: usize = 20_480;

/// Why a certificate, a key or a version could not be used.
#[derive(Debug)]
pub struct TlsError {
    /// The key of the configuration that is to blame.
    pub key: &'static str,
    /// The file it names, where it names one.
    pub path: Option<PathBuf>,
    /// What is wrong with it, and what to do.
    pub message: String,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.key)?;
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for TlsError {}

/// What lets a client resume a session, shared by all workers and kept over reloads.
#[derive(Clone)]
pub struct Sessions {
    tickets: Arc<dyn ProducesTickets>,
    cache: Arc<dyn StoresServerSessions>,
}

impl Sessions {
    /// New ticket keys, rotated every six hours by the library, and an empty cache.
    ///
    /// # Errors
    /// Where the system has no randomness to give.
    pub fn new() -> Result<Self, TlsError> {
        let tickets = aws_lc_rs::Ticketer::new().map_err(|error| TlsError {
            key: "tls",
            path: None,
            message: format!("cannot make session ticket keys: {error}"),
        })?;
        Ok(Self { tickets, cache: ServerSessionMemoryCache::new(SESSIONS_MAX) })
    }
}

/// Loads a certificate chain and its key and builds the configuration of a listener.
///
/// `protocols` holds `TLSv1.3` and `TLSv1.2`, at least one.
///
/// # Errors
/// Names the file and what is wrong with it: not there, not PEM, empty, a key that is not the certificate's.
pub fn load(
    cert_path: &Path,
    key_path: &Path,
    protocols: &[String],
    sessions: &Sessions,
) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = read_chain(cert_path)?;
    let key = read_key(key_path)?;
    let versions = versions(protocols)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&versions)
        .map_err(|error| TlsError { key: "tls.protocols", path: None, message: error.to_string() })?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| TlsError {
            key: "tls.cert_path",
            path: Some(cert_path.into()),
            message: format!(
                "{error}; the certificate must be the one that {} belongs to",
                key_path.display()
            ),
        })?;
    config.ticketer = sessions.tickets.clone();
    config.session_storage = sessions.cache.clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.max_early_data_size = 0;
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let blame = |message: String| TlsError { key: "tls.cert_path", path: Some(path.into()), message };
    let pem = std::fs::read(path).map_err(|error| blame(error.to_string()))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| blame(format!("expected certificates in PEM: {error}")))?;
    if chain.is_empty() {
        return Err(blame("expected at least one `-----BEGIN CERTIFICATE-----` block, found none".into()));
    }
    Ok(chain)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let blame = |message: String| TlsError { key: "tls.key_path", path: Some(path.into()), message };
    // What is parsed from it, rustls wipes as it takes it over.
    let pem = Zeroizing::new(std::fs::read(path).map_err(|error| blame(error.to_string()))?);
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
        blame(format!("expected an unencrypted private key in PEM (PKCS#8, SEC1 or PKCS#1): {error}"))
    })
}

fn versions(protocols: &[String]) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
    let blame = |message: String| TlsError { key: "tls.protocols", path: None, message };
    if protocols.is_empty() {
        return Err(blame("expected at least one of TLSv1.3, TLSv1.2, found none".into()));
    }
    protocols
        .iter()
        .map(|name| match name.as_str() {
            "TLSv1.3" => Ok(&rustls::version::TLS13),
            "TLSv1.2" => Ok(&rustls::version::TLS12),
            other => Err(blame(format!("expected TLSv1.3 or TLSv1.2, found {other:?}"))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both() -> Vec<String> {
        vec!["TLSv1.3".into(), "TLSv1.2".into()]
    }

    fn pair(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_string()]).unwrap();
        let (cert, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}-key.pem")));
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        (cert, key)
    }

    #[test]
    fn a_certificate_and_its_key_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = pair(folder.path(), "a");
        let config = load(&cert, &key, &both(), &Sessions::new().unwrap()).unwrap();
        assert_eq!(config.alpn_protocols, vec![b"http/1.1".to_vec()]);
    }

    #[test]
    fn a_key_of_another_certificate_is_refused_with_both_files() {
        let folder = tempfile::tempdir().unwrap();
        let ((cert, _), (_, key)) = (pair(folder.path(), "a"), pair(folder.path(), "b"));
        let error = load(&cert, &key, &both(), &Sessions::new().unwrap()).unwrap_err().to_string();
        assert!(error.contains("a.pem") && error.contains("b-key.pem"), "{error}");
    }

    #[test]
    fn what_is_not_pem_is_refused_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = pair(folder.path(), "a");
        let junk = folder.path().join("junk.pem");
        std::fs::write(&junk, "no certificate").unwrap();
        let sessions = Sessions::new().unwrap();
        for (cert, key, blamed) in [
            (&junk, &key, "tls.cert_path"),
            (&cert, &junk, "tls.key_path"),
            (&cert, &folder.path().join("none"), "none"),
        ] {
            let error = load(cert, key, &both(), &sessions).unwrap_err().to_string();
            assert!(error.contains(blamed), "{error}");
        }
        let error = load(&cert, &key, &["SSLv3".to_string()], &sessions).unwrap_err().to_string();
        assert!(error.contains("SSLv3") && error.contains("TLSv1.3"), "{error}");
    }
}
