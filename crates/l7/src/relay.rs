//! The backend's answer to the client.

use crate::bulk::{self, BULK_MIN};
use crate::connection::Connection;
use crate::facts::Facts;
use crate::forward::{self, ToClient};
use crate::inspect::Inspection;
use crate::io::End;
use crate::outcome::{Next, Stop};
use crate::policy::Policy;
use crate::scratch::{Answer, Input};
use crate::stage::Stage;
use crate::upload::frame;
use secbeat_edge::Cut;
use secbeat_http1::{BodyDecoder, BodyState, Framing, Version, encode};
use std::io;
use tokio::net::TcpStream;

/// Bytes of a body that are copied behind the head, so that both go out in one plain write.
const COPIED_MAX: usize = 4 << 10;

/// What became of an answer that reached the client whole.
pub struct Relayed {
    /// What follows on the client's connection.
    pub next: Next,
    /// Whether the connection to the backend can carry another request.
    pub backend_is_ready: bool,
}

/// Relays the answer whose head is parsed in `answer`. `upload_is_done`: the request's body was sent whole.
///
/// # Errors
/// [`Stop::Gone`] where the client has gone, [`Stop::Broken`] where the backend breaks off.
pub async fn answer(
    connection: &Connection,
    policy: &Policy,
    answer: &mut Answer,
    backend: &End<TcpStream>,
    facts: &mut Facts,
    mut inspection: Option<&mut Inspection<'_>>,
    upload_is_done: bool,
) -> Result<Relayed, Stop> {
    let Answer { input, head, output } = answer;
    let hold = match &mut inspection {
        Some(inspection) => inspection.answer_head(head, input.bytes())?,
        None => None,
    };
    let to_client = match (head.framing, facts.version) {
        (Framing::None, _) => ToClient::None,
        (Framing::Length(_), _) => ToClient::Length,
        (_, Version::Http11) => ToClient::Chunked,
        (_, Version::Http10) => ToClient::UntilClose,
    };
    let keeps = facts.keep_alive
        && upload_is_done
        && to_client != ToClient::UntilClose
        && !connection.worker.registry.is_draining();
    facts.status = head.status;
    output.clear();
    forward::answer(output, head, input.bytes(), facts, to_client, keeps);
    facts.head_bytes_out = output.len() as u64;
    facts.stage = Stage::Answer;
    input.consume(head.len);

    let mut body = BodyDecoder::new(head.framing);
    if let Some((inspection, hold)) = inspection.zip(hold.filter(|_| !body.is_done())) {
        let looking =
            inspection.answer_body(connection, policy, facts.client_ip, &hold, input, backend, &mut body);
        // Boxed: few answers are held, and every request would carry the room for it.
        let held = Box::pin(looking).await?;
        frame(output, &held.bytes, to_client == ToClient::Chunked);
    }
    let mut is_done = body.is_done();
    loop {
        // What is in hand goes out together with the head, or alone.
        let mut plain = 0..0;
        while !is_done && !input.is_empty() {
            let bytes = input.bytes();
            let step =
                body.decode(bytes).map_err(|error| Stop::Broken(format!("{}: {error}", error.name())))?;
            is_done = step.state == BodyState::Done;
            if to_client == ToClient::Length && step.data.len() > COPIED_MAX {
                plain = step.data;
                break;
            }
            frame(output, bytes.get(step.data).unwrap_or_default(), to_client == ToClient::Chunked);
            input.consume(step.consumed);
        }
        if is_done && to_client == ToClient::Chunked {
            encode::last_chunk(output, body.trailers());
        }
        connection.registration.deadline_in(policy.timeouts.response_idle_ms);
        let bytes = input.bytes().get(plain.clone()).unwrap_or_default();
        to_client_side(connection.registration.within(connection.client.write_both(output, bytes)).await)?;
        output.clear();
        input.consume(plain.len());
        if is_done {
            break;
        }
        if let Some(remaining) = body.remaining().filter(|remaining| *remaining >= BULK_MIN) {
            return in_bulk(connection, policy, backend, remaining).await.map(|()| Relayed {
                next: if keeps { Next::Request } else { Next::Close },
                backend_is_ready: head.keep_alive && upload_is_done,
            });
        }
        is_done = !read_more(connection, input, backend, &body).await?;
    }
    // Bytes behind the answer's end were asked for by nobody.
    let backend_is_ready = head.keep_alive && upload_is_done && input.is_empty();
    Ok(Relayed { next: if keeps { Next::Request } else { Next::Close }, backend_is_ready })
}

/// Reads more of a body; `false`: the backend has closed the connection, which is its end.
///
/// # Errors
/// [`Stop::Broken`] where the backend breaks off within the body or stands still.
pub async fn read_more(
    connection: &Connection,
    input: &mut Input,
    backend: &End<TcpStream>,
    body: &BodyDecoder,
) -> Result<bool, Stop> {
    match connection.registration.within(backend.read(input.room())).await {
        Ok(Ok(0)) => match body.close() {
            Ok(()) => Ok(false),
            Err(error) => Err(Stop::Broken(format!("the backend's answer: {error}"))),
        },
        Ok(Ok(count)) => {
            input.filled(count);
            Ok(true)
        }
        Ok(Err(error)) => Err(Stop::Broken(format!("the backend's answer broke off: {error}"))),
        Err(Cut::Deadline) => {
            Err(Stop::Broken("the backend's answer stood still for timeouts.response_idle".into()))
        }
        Err(Cut::Decision | Cut::Shutdown) => Err(Stop::Gone),
    }
}

/// The rest of a body that is long enough to be worth it.
async fn in_bulk(
    connection: &Connection,
    policy: &Policy,
    backend: &End<TcpStream>,
    remaining: u64,
) -> Result<(), Stop> {
    let idle_ms = policy.timeouts.response_idle_ms;
    let progress = || connection.registration.deadline_in(idle_ms);
    progress();
    match connection
        .registration
        .within(bulk::relay(&connection.worker.bulk, &connection.client, backend, remaining, progress))
        .await
    {
        Ok(Ok(())) => Ok(()),
        Ok(Err(bulk::Failure::Backend(error))) => {
            Err(Stop::Broken(format!("the backend's answer broke off: {error}")))
        }
        Err(Cut::Deadline) => Err(Stop::Broken("the answer stood still for timeouts.response_idle".into())),
        Ok(Err(bulk::Failure::Client)) | Err(Cut::Decision | Cut::Shutdown) => Err(Stop::Gone),
    }
}

fn to_client_side(waited: Result<io::Result<()>, Cut>) -> Result<(), Stop> {
    match waited {
        Ok(Ok(())) => Ok(()),
        _ => Err(Stop::Gone),
    }
}
