//! nginx as its makers advise for a proxy: one worker a core, keep-alive to the origin, no access log.

use std::process::Command;

use super::{CONNECTIONS, Setup, first_line, write};
use crate::Outcome;
use crate::certificate::CIPHER_SUITE;

pub fn version() -> Result<String, String> {
    first_line("nginx", "-v", "nginx-light").map(|line| line.replace("nginx version: nginx/", ""))
}

pub fn command(setup: Setup<'_>, port: u16) -> Outcome<Command> {
    command_with(setup, port, "", "")
}

/// With lines of its own at the top of the configuration, and in the server.
pub fn command_with(setup: Setup<'_>, port: u16, top: &str, server: &str) -> Outcome<Command> {
    let file = setup.dir.join("nginx.conf");
    write(&file, &config(setup, port, top, server))?;
    let mut command = Command::new("nginx");
    command.arg("-c").arg(file);
    Ok(command)
}

/// Answers of 1 MiB never touch a disk (`proxy_max_temp_file_size 0`), nor do bodies of requests of up to 256 KiB.
fn config(setup: Setup<'_>, port: u16, top: &str, server: &str) -> String {
    let (dir, origin, workers) = (setup.dir.display(), setup.origin, setup.workers);
    let (flag, tls) = match setup.certificate {
        None => ("", String::new()),
        Some(certificate) => (
            " ssl",
            format!(
                "ssl_certificate {}; ssl_certificate_key {}; ssl_protocols TLSv1.3; \
                 ssl_conf_command Ciphersuites {CIPHER_SUITE}; ssl_session_cache shared:tls:10m;",
                certificate.chain.display(),
                certificate.key.display()
            ),
        ),
    };
    format!(
        r#"{top}
daemon off;
user root;
pid {dir}/nginx.pid;
error_log stderr error;
worker_processes {workers};
worker_rlimit_nofile 20000;
events {{ worker_connections {CONNECTIONS}; }}
http {{
    access_log off;
    sendfile on;
    tcp_nodelay on;
    keepalive_timeout 3600s;
    keepalive_requests 1000000000;
    client_body_buffer_size 256k;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    upstream origin {{
        server 127.0.0.1:{origin};
        keepalive 256;
        keepalive_requests 1000000000;
        keepalive_timeout 3600s;
    }}
    server {{
        listen 127.0.0.1:{port}{flag} reuseport backlog=16384;
        {tls}
        {server}
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffer_size 16k;
            proxy_buffers 16 64k;
            proxy_busy_buffers_size 128k;
            proxy_max_temp_file_size 0;
        }}
    }}
}}
"#
    )
}
