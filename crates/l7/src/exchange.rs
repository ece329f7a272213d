//! The request to the backend and its answer, in the request's own task: no hand-over, no channel.

use crate::budget::Held;
use crate::connection::Connection;
use crate::facts::Facts;
use crate::forward;
use crate::inspect::Inspection;
use crate::io::End;
use crate::outcome::{Next, Stop, client_side};
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::relay::{self, Relayed};
use crate::scratch::{Answer, BodyInHand, Scratch};
use crate::tunnel;
use crate::upload::{Body, Sent, Upload};
use secbeat_edge::Cut;
use secbeat_http1::{Parsed, Version, encode};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use tokio::net::TcpStream;

/// Requests that must not be sent twice go out on a connection that the backend used this recently, or on a new one: it is
/// then unlikely that the backend is just closing it.
const SURELY_ALIVE_MS: u64 = 1_000;

/// Sends the request with its body and relays the answer.
pub async fn run(
    connection: &Connection,
    policy: &Policy,
    scratch: &mut Scratch,
    facts: &mut Facts,
    inspection: Option<&mut Inspection<'_>>,
    body: Body,
) -> Result<Next, Stop> {
    let mut output = std::mem::take(&mut scratch.answer.output);
    forward::request(&mut output, &scratch.head, scratch.head_bytes(), connection, policy, facts, &body);
    if let Body::Here(length) = body {
        output.extend_from_slice(scratch.behind_head().get(..length).unwrap_or_default());
    }
    scratch.answer.output = output;
    match body {
        Body::None | Body::Here(_) => {}
        Body::Held(held) => return whole(connection, policy, scratch, facts, inspection, Some(held)).await,
        Body::Stream(upload) => {
            return Box::pin(streaming(connection, policy, scratch, facts, inspection, upload)).await;
        }
    }
    whole(connection, policy, scratch, facts, inspection, None).await
}

/// A request that is all in the output buffer, but for a body that is held.
async fn whole(
    connection: &Connection,
    policy: &Policy,
    scratch: &mut Scratch,
    facts: &mut Facts,
    inspection: Option<&mut Inspection<'_>>,
    held: Option<Held>,
) -> Result<Next, Stop> {
    let may_repeat = facts.method.is_idempotent();
    let idle_ms_max = if may_repeat { policy.timeouts.upstream_keepalive_ms } else { SURELY_ALIVE_MS };
    let mut ready =
        connection.worker.pool.take(&policy.backend, connection.worker.registry.now_ms(), idle_ms_max);
    let backend = loop {
        let reused = ready.is_some();
        let stream = match ready.take() {
            Some(ready) => ready.stream,
            None => connect(connection, policy).await?,
        };
        let backend = End::new(stream);
        connection.registration.deadline_in(policy.timeouts.first_byte_ms);
        // No byte of a connection that failed is taken for one of this.
        scratch.answer.input.clear();
        let body = held.as_ref().map_or(&[][..], |held| &held.bytes);
        let sent = backend.write_both(&scratch.answer.output, body);
        let sent = connection.registration.within(sent).await;
        let heard = match (backend_side(sent), reused && may_repeat) {
            // A backend that refuses a body may answer and close before it has read it all.
            (Ok(()), _) | (Err(Stop::Refused(Refusal::BackendClosed(_))), false) => {
                read_more(connection, &mut scratch.answer, &backend).await
            }
            (Err(stop), _) => Err(stop),
        };
        match heard {
            // A ready connection that the backend was just closing: nothing came of the request.
            Err(Stop::Refused(Refusal::BackendClosed(_))) if reused && may_repeat => {}
            Err(stop) => return Err(stop),
            Ok(()) => break backend,
        }
    };
    drop(held);
    scratch.answer.output.clear();
    read_head(connection, policy, &mut scratch.answer, &backend, facts).await?;
    if scratch.answer.head.status == 101 {
        return Box::pin(tunnel::run(connection, policy, scratch, &backend, facts)).await;
    }
    let relayed =
        relay::answer(connection, policy, &mut scratch.answer, &backend, facts, inspection, true).await?;
    Ok(give_back(connection, policy, backend, &relayed))
}

/// A request whose body is sent while it comes, and whose answer may come before its end.
async fn streaming(
    connection: &Connection,
    policy: &Policy,
    scratch: &mut Scratch,
    facts: &mut Facts,
    inspection: Option<&mut Inspection<'_>>,
    upload: Upload,
) -> Result<Next, Stop> {
    let ready =
        connection.worker.pool.take(&policy.backend, connection.worker.registry.now_ms(), SURELY_ALIVE_MS);
    let stream = match ready {
        Some(ready) => ready.stream,
        None => connect(connection, policy).await?,
    };
    let backend = End::new(stream);
    scratch.take_out_head();
    let site = policy.sites.at(facts.site);
    let Scratch { input, head, answer, body, .. } = scratch;
    if head.expect_continue && input.is_empty() && upload.is_untouched() {
        let told = connection.registration.within(connection.client.write_all(encode::CONTINUE)).await;
        client_side(told, || Refusal::BodyTimeout)?;
    }
    connection.registration.deadline_in(policy.timeouts.first_byte_ms);
    backend_side(connection.registration.within(backend.write_all(&answer.output)).await)?;
    answer.output.clear();

    let upload_is_done = Cell::new(false);
    let answer_has_begun = Cell::new(false);
    connection.registration.deadline_in(policy.timeouts.body_ms);
    let relayed = {
        let mut sending = pin!(upload.run(connection, policy, site, input, &backend));
        let mut answering = pin!(async {
            read_head(connection, policy, answer, &backend, facts).await?;
            answer_has_begun.set(true);
            if answer.head.status == 101 {
                return Err(Refusal::BackendSwitched.into());
            }
            relay::answer(connection, policy, answer, &backend, facts, inspection, upload_is_done.get()).await
        });
        let mut is_sending = true;
        poll_fn(|context| {
            if is_sending && let Poll::Ready(sent) = sending.as_mut().poll(context) {
                is_sending = false;
                connection.registration.lift_limit();
                match sent {
                    Ok(sent) => upload_is_done.set(sent == Sent::Whole),
                    Err(stop) => return Poll::Ready(Err(stop)),
                }
                if !answer_has_begun.get() {
                    connection.registration.deadline_in(policy.timeouts.first_byte_ms);
                }
            }
            answering.as_mut().poll(context)
        })
        .await
    };
    match relayed {
        Ok(relayed) if upload_is_done.get() => {
            *body = BodyInHand::Taken;
            Ok(give_back(connection, policy, backend, &relayed))
        }
        // The backend had its say before the client's end: the rest of the body is of no use to anybody.
        Ok(_) => Ok(Next::Linger),
        // Nothing of the answer has gone out.
        Err(Stop::Refused(refusal @ Refusal::AnswerRules(..))) => Err(refusal.into()),
        Err(Stop::Refused(refusal)) if answer_has_begun.get() => Err(Stop::Broken(refusal.reason())),
        Err(stop) => Err(stop),
    }
}

/// Makes the connection to the backend ready for another request, where it can carry one.
fn give_back(connection: &Connection, policy: &Policy, backend: End<TcpStream>, relayed: &Relayed) -> Next {
    if relayed.backend_is_ready {
        let now_ms = connection.worker.registry.now_ms();
        connection.worker.pool.give(&policy.backend, backend.into_inner(), now_ms);
    }
    relayed.next
}

async fn connect(connection: &Connection, policy: &Policy) -> Result<TcpStream, Stop> {
    connection.registration.deadline_in(policy.timeouts.connect_ms);
    match connection.registration.within(policy.backend.connect()).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(Refusal::BackendConnect(error).into()),
        Err(Cut::Deadline) => Err(Refusal::BackendConnectTimeout.into()),
        Err(Cut::Decision | Cut::Shutdown) => Err(Stop::Gone),
    }
}

/// Reads until the answer's head is whole. Interim answers (RFC 9110 15.2) are passed on to clients that understand them, except
/// 100: the client that waits for one has it from us.
async fn read_head(
    connection: &Connection,
    policy: &Policy,
    answer: &mut Answer,
    backend: &End<TcpStream>,
    facts: &Facts,
) -> Result<(), Stop> {
    loop {
        let Answer { input, head, output } = answer;
        match head.parse(input.bytes(), facts.method, &policy.head_limits) {
            Ok(Parsed::Complete) if head.is_interim() => {
                if head.status != 100 && facts.version == Version::Http11 {
                    forward::interim(output, head, input.bytes());
                    let told = connection.registration.within(connection.client.write_all(output)).await;
                    client_side(told, || Refusal::BackendTimeout)?;
                    output.clear();
                }
                input.consume(head.len);
            }
            Ok(Parsed::Complete) if head.status == 101 && !facts.upgrade => {
                return Err(Refusal::BackendSwitched.into());
            }
            Ok(Parsed::Complete) => return Ok(()),
            Err(error) => return Err(Refusal::BackendInvalid(error).into()),
            Ok(Parsed::Partial) => {
                input.make_room(policy.head_limits.head_bytes_max as usize + 1);
                read_more(connection, answer, backend).await?;
            }
        }
    }
}

/// Reads more of the answer; its end is an error here.
async fn read_more(
    connection: &Connection,
    answer: &mut Answer,
    backend: &End<TcpStream>,
) -> Result<(), Stop> {
    let read = connection.registration.within(backend.read(answer.input.room())).await;
    match backend_side(read)? {
        0 => Err(Refusal::BackendClosed(io::ErrorKind::UnexpectedEof.into()).into()),
        count => {
            answer.input.filled(count);
            Ok(())
        }
    }
}

/// What a wait on the backend's side came to, before its answer.
fn backend_side<T>(waited: Result<io::Result<T>, Cut>) -> Result<T, Stop> {
    match waited {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Refusal::BackendClosed(error).into()),
        Err(Cut::Deadline) => Err(Refusal::BackendTimeout.into()),
        Err(Cut::Decision | Cut::Shutdown) => Err(Stop::Gone),
    }
}
