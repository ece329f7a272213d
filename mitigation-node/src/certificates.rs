//! The certificate for a first start without one.

use crate::storage::{self, Audience};
use secbeat_settings::Degradation;
use std::fs::{self, File};
use std::path::Path;

/// The line before a certificate that was made here. RFC 7468 section 2: what is before the PEM block is no part of it.
const MARK: &str = "Self-signed by SecBeat at its first start; no browser trusts it.\n";

/// What a node runs without whose certificate file, these bytes, was made by [`ensure`].
pub fn degradation(pem: &[u8]) -> Option<Degradation> {
    pem.starts_with(MARK.as_bytes()).then_some(Degradation {
        key: "tls.cert_path",
        why: "there was no certificate, so a self-signed one was made; no browser trusts it",
        remedy: "put your certificate and key in its place and reload",
    })
}

/// Makes a self-signed certificate for this machine where neither certificate nor key is there, so that a first start needs
/// nothing. The node runs degraded until it is replaced. Of nodes that start at once, one makes it and the others wait.
///
/// # Errors
/// Where only one of the two is there: nothing is overwritten.
pub fn ensure(cert_path: &Path, key_path: &Path) -> Result<(), String> {
    if cert_path.exists() && key_path.exists() {
        return Ok(());
    }
    let folder = cert_path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Held until this returns.
    let _lock = fs::create_dir_all(folder)
        .and_then(|()| File::open(folder))
        .and_then(|folder| folder.lock().map(|()| folder))
        .map_err(|error| format!("tls.cert_path: {}: {error}", folder.display()))?;
    match (cert_path.exists(), key_path.exists()) {
        (true, true) => return Ok(()),
        (false, false) => {}
        (true, false) => return Err(lonely("tls.key_path", key_path, cert_path)),
        (false, true) => return Err(lonely("tls.cert_path", cert_path, key_path)),
    }
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.extend(
        rustix::system::uname().nodename().to_str().ok().filter(|name| !name.is_empty()).map(str::to_owned),
    );
    let made = rcgen::generate_simple_self_signed(names)
        .map_err(|error| format!("tls: cannot make a certificate: {error}"))?;
    let write = |path: &Path, text: String, audience| {
        storage::replace(path, text.as_bytes(), audience)
            .map_err(|error| format!("tls: {}: {error}", path.display()))
    };
    write(key_path, made.signing_key.serialize_pem(), Audience::Owner)?;
    write(cert_path, format!("{MARK}{}", made.cert.pem()), Audience::All)
}

fn lonely(key: &str, missing: &Path, there: &Path) -> String {
    format!(
        "{key}: {} is not there, but {} is; put the missing file there, or remove both to have a self-signed pair made",
        missing.display(),
        there.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::thread;

    #[test]
    fn nodes_that_start_at_once_make_one_pair_between_them() {
        let folder = std::env::temp_dir().join(format!("secbeat-certificates-{}", std::process::id()));
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        let seen: BTreeSet<(Vec<u8>, Vec<u8>)> = thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        ensure(&cert, &key).unwrap();
                        (fs::read(&cert).unwrap(), fs::read(&key).unwrap())
                    })
                })
                .collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert_eq!(seen.len(), 1, "all of them see the same pair");
        assert!(degradation(&fs::read(&cert).unwrap()).is_some());
        fs::remove_file(&key).unwrap();
        assert!(ensure(&cert, &key).unwrap_err().contains("tls.key_path"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
