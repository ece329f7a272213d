//! What is printed once all is ready.

use super::{Backend, Layout};
use std::io::Write;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long the site may take to accept a connection before it is said to be silent.
const SITE_TIME_MAX: Duration = Duration::from_secs(2);

/// Prints where everything is, and three lines to try.
pub async fn print(layout: &Layout, backend: &Backend) {
    let mut text = text(layout, backend);
    if !matches!(timeout(SITE_TIME_MAX, TcpStream::connect(&backend.authority)).await, Ok(Ok(_))) {
        text.push_str(&format!(
            "\nNote: {backend} does not take connections; until it does, the answer is 502 or 504.\n"
        ));
    }
    // Whoever closed standard output does not want to read it.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
}

fn text(layout: &Layout, backend: &Backend) -> String {
    let site = layout.site();
    let apis: Vec<String> = layout.reachable_apis().map(|api| format!("http://{api}")).collect();
    let calls: Vec<String> = apis.iter().map(|api| format!("{api}/api/v1/block-ip")).collect();
    let (api, each) = match apis.len() {
        1 => ("the node's API", ""),
        _ => ("the nodes' APIs", "; each node has its own blocks, so each is told"),
    };
    let kept = if layout.is_temporary() { "removed at the end; --data-dir keeps them" } else { "kept" };
    format!(
        "SecBeat {version} protects {backend}

  the protected site  https://{site}/  (self-signed certificate)
  {api:<18}  {apis}  (/metrics, /api/v1/status, /api/v1/events)
  files               {folder}  ({kept})

Three lines to try:

  a page, let through (200)
    curl -ki https://{site}/

  an attack, stopped (403)
    curl -ki 'https://{site}/search?q=1%27%20OR%20%271%27=%271'

  an address, blocked, and its next request, stopped (403){each}
    curl -d '{{\"ip\": \"203.0.113.9\"}}' {calls} && curl -ki -H 'X-Forwarded-For: 203.0.113.9' https://{site}/

Ctrl-C stops everything.
",
        version = env!("CARGO_PKG_VERSION"),
        apis = apis.join(" "),
        calls = calls.join(" "),
        folder = layout.folder.display(),
    )
}
