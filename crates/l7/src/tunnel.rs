//! An upgraded connection (RFC 9110 7.8): bytes both ways until both have ended.

use crate::connection::Connection;
use crate::facts::Facts;
use crate::forward;
use crate::io::End;
use crate::outcome::{Next, Stop};
use crate::policy::Policy;
use crate::scratch::{Answer, Input, Scratch};
use crate::stage::Stage;
use secbeat_edge::registry::State;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Passes the backend's 101 on and then bytes both ways. The tunnel ends when both sides have, when nothing moves for
/// `timeouts.tunnel_idle`, or when the client is blocked.
pub async fn run(
    connection: &Connection,
    policy: &Policy,
    scratch: &mut Scratch,
    backend: &End<TcpStream>,
    facts: &mut Facts,
) -> Result<Next, Stop> {
    scratch.take_out_head();
    let Scratch { input, answer, .. } = scratch;
    let Answer { input: from_backend, head, output } = answer;
    facts.status = head.status;
    output.clear();
    forward::switching(output, head, from_backend.bytes(), facts);
    facts.head_bytes_out = output.len() as u64;
    facts.stage = Stage::Answer;
    from_backend.consume(head.len);
    let idle_ms = policy.timeouts.tunnel_idle_ms;
    connection.registration.set_state(State::Tunnel);
    connection.registration.deadline_in(idle_ms);
    let told = connection.registration.within(connection.client.write_all(output)).await;
    if !matches!(told, Ok(Ok(()))) {
        return Err(Stop::Gone);
    }
    let mut up = pin!(pump(connection, idle_ms, &connection.client, input, backend));
    let mut down = pin!(pump(connection, idle_ms, backend, from_backend, &connection.client));
    let (mut up_ended, mut down_ended) = (false, false);
    poll_fn(|context| {
        // One end may close its half and still be sent to; a broken one ends both.
        if !up_ended && let Poll::Ready(result) = up.as_mut().poll(context) {
            up_ended = true;
            if result.is_none() {
                return Poll::Ready(());
            }
        }
        if !down_ended && let Poll::Ready(result) = down.as_mut().poll(context) {
            down_ended = true;
            if result.is_none() {
                return Poll::Ready(());
            }
        }
        if up_ended && down_ended { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    Ok(Next::Close)
}

/// Moves bytes from one end to the other until the first has ended, and tells the other. `None`: a side broke, or was cut.
async fn pump<A, B>(
    connection: &Connection,
    idle_ms: u64,
    from: &End<A>,
    input: &mut Input,
    to: &End<B>,
) -> Option<()>
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        if !input.is_empty() {
            let bytes = input.bytes();
            let length = bytes.len();
            connection.registration.within(to.write_all(bytes)).await.ok()?.ok()?;
            input.consume(length);
        }
        let count = connection.registration.within(from.read(input.room())).await.ok()?.ok()?;
        connection.registration.deadline_in(idle_ms);
        if count == 0 {
            connection.registration.within(to.shutdown()).await.ok()?.ok()?;
            return Some(());
        }
        input.filled(count);
    }
}
