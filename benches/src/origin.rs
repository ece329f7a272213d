//! The backend behind all proxies: an nginx that answers from memory.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Outcome;
use crate::process::{Cores, Group, free_port};
use crate::scenario::Size;

/// A running origin.
#[derive(Debug)]
pub struct Origin {
    /// Its port on 127.0.0.1.
    pub port: u16,
    _group: Group,
}

impl Origin {
    /// Starts an origin on `cores`, its files below `dir`, which should lie in memory.
    pub async fn start(dir: &Path, cores: Cores) -> Outcome<Self> {
        let dir = dir.join("origin");
        let broken = |e: std::io::Error| format!("preparing the origin in {}: {e}", dir.display());
        fs::create_dir_all(dir.join("files")).map_err(broken)?;
        for size in Size::ALL {
            fs::write(dir.join("files").join(size.name()), body(size.bytes())).map_err(broken)?;
        }
        let port = free_port()?;
        let file = dir.join("nginx.conf");
        fs::write(&file, config(&dir, port)).map_err(broken)?;
        let mut group = Group::start("origin", cores, &dir, Command::new("nginx").arg("-c").arg(&file))?;
        group.accepts("the origin (nginx)", port).await?;
        Ok(Self { port, _group: group })
    }
}

/// Printable bytes without a pattern that a kernel or a proxy could shorten.
fn body(bytes: usize) -> Vec<u8> {
    (0..bytes as u32).map(|i| b'a' + (i.wrapping_mul(2_654_435_761) >> 16) as u8 % 26).collect()
}

/// The smallest answer is text in the configuration, which spares the origin its file system; larger ones
/// are `sendfile` from open descriptors.
fn config(dir: &Path, port: u16) -> String {
    let dir = dir.display();
    let small = String::from_utf8_lossy(&body(Size::Small.bytes())).into_owned();
    format!(
        r#"daemon off;
user root;
pid {dir}/nginx.pid;
error_log stderr error;
worker_processes 1;
worker_rlimit_nofile 20000;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    sendfile on;
    tcp_nodelay on;
    keepalive_timeout 3600s;
    keepalive_requests 1000000000;
    open_file_cache max=16 inactive=1h;
    open_file_cache_valid 1h;
    default_type application/octet-stream;
    server {{
        listen 127.0.0.1:{port} backlog=16384;
        client_max_body_size 16m;
        location = /160 {{ return 200 "{small}"; }}
        location /shop/ {{ default_type text/html; return 200 "{small}"; }}
        location / {{ root {dir}/files; }}
    }}
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_printable_and_as_long_as_asked() {
        let body = body(16 << 10);
        assert_eq!(body.len(), 16 << 10);
        assert!(body.iter().all(u8::is_ascii_lowercase));
    }
}
