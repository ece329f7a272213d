use crate::choice::TlsVersion;
use crate::section::section;
use std::path::PathBuf;

section! {
    /// HTTPS towards clients. Without this section the node speaks plain HTTP. Certificate and key are read again at
    /// every reload.
    Tls = "tls" {
        /// The certificate chain, PEM, the server's own first.
        cert_path: PathBuf = PathBuf::new() => required(), alias("TLS_CERT_PATH");
        /// The private key of the first certificate, PEM.
        key_path: PathBuf = PathBuf::new() => required(), alias("TLS_KEY_PATH");
        /// The versions offered.
        protocols: Vec<TlsVersion> = vec![TlsVersion::V1_3, TlsVersion::V1_2];
    }
}
