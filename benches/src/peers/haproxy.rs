//! HAProxy as its makers advise: connections to the origin reused for all, buffers that hold a page, splicing
//! where the kernel gains by it.

use std::process::Command;

use super::{CONNECTIONS, Setup, first_line, write};
use crate::Outcome;
use crate::certificate::CIPHER_SUITE;

pub fn version() -> Result<String, String> {
    let line = first_line("haproxy", "-v", "haproxy")?;
    Ok(line.split(' ').nth(2).unwrap_or(&line).to_owned())
}

pub fn command(setup: Setup<'_>, port: u16) -> Outcome<Command> {
    let file = setup.dir.join("haproxy.cfg");
    write(&file, &config(setup, port))?;
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(file);
    Ok(command)
}

fn config(setup: Setup<'_>, port: u16) -> String {
    let (origin, workers) = (setup.origin, setup.workers);
    let tls = setup
        .certificate
        .map(|certificate| {
            format!(
                " ssl crt {} ssl-min-ver TLSv1.3 ciphersuites {CIPHER_SUITE}",
                certificate.bundle.display()
            )
        })
        .unwrap_or_default();
    format!(
        r#"global
    nbthread {workers}
    maxconn {CONNECTIONS}
    no strict-limits
    tune.bufsize 32768
defaults
    mode http
    no log
    option http-keep-alive
    option splice-auto
    http-reuse always
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout http-keep-alive 1h
    timeout http-request 1h
frontend front
    bind 127.0.0.1:{port} backlog 16384{tls}
    maxconn {CONNECTIONS}
    default_backend origin
backend origin
    server origin 127.0.0.1:{origin}
"#
    )
}
