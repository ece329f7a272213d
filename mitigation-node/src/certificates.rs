//! The certificate for a first start without one.

use crate::storage::{self, Audience};
use std::path::Path;

/// Makes a self-signed certificate for this machine where neither certificate nor key is there, so that a first start needs
/// nothing. `Ok(true)`: it was made, and the node runs degraded until it is replaced.
///
/// # Errors
/// Where only one of the two is there: nothing is overwritten.
pub fn ensure(cert_path: &Path, key_path: &Path) -> Result<bool, String> {
    match (cert_path.exists(), key_path.exists()) {
        (true, true) => return Ok(false),
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
    write(cert_path, made.cert.pem(), Audience::All)?;
    Ok(true)
}

fn lonely(key: &str, missing: &Path, there: &Path) -> String {
    format!(
        "{key}: {} is not there, but {} is; put the missing file there, or remove both to have a self-signed pair made",
        missing.display(),
        there.display()
    )
}
