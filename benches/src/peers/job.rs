//! Whether a node does the job its line in the table names: a firewall that lets an attack through is cheap.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Outcome;
use crate::answer;

/// An attack that every shipped rule set must stop.
pub const ATTACK: &[u8] =
    b"GET /160?id=1%27%20UNION%20SELECT%20password%20FROM%20users-- HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

/// Sends an attack to the plain `port`: an error unless it is refused exactly where there is a firewall.
pub async fn check(port: u16, waf: bool) -> Outcome<()> {
    let broken = |e: std::io::Error| format!("sending an attack to 127.0.0.1:{port}: {e}");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(broken)?;
    stream.write_all(ATTACK).await.map_err(broken)?;
    let mut answer = Vec::new();
    while answer::head(&answer)?.is_none() && stream.read_buf(&mut answer).await.map_err(broken)? > 0 {}
    let expected = if waf { "HTTP/1.1 403 " } else { "HTTP/1.1 200 " };
    if answer.starts_with(expected.as_bytes()) {
        return Ok(());
    }
    let status = String::from_utf8_lossy(&answer).lines().next().unwrap_or("nothing").to_owned();
    Err(format!(
        "the firewall is not as configured: an attack was answered {status:?}, expected {expected:?}"
    ))
}
