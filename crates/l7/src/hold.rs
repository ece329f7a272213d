//! A body that is held until it was looked at.

use crate::budget::Held;
use crate::connection::Connection;
use crate::facts::Facts;
use crate::outcome::{Stop, client_side};
use crate::policy::Policy;
use crate::record;
use crate::refusal::Refusal;
use crate::scratch::{BodyInHand, Scratch};
use crate::site::WafPolicy;
use secbeat_http1::{BodyDecoder, BodyError, BodyState, Framing, encode};

/// While more than half of the memory for bodies is in use, a body has this long to come whole, so that clients that send slowly
/// on purpose do not keep it from the others.
const HURRIED_MS: u64 = 10_000;

/// Reads the body until its end, or until as much of it is here as is inspected; then the decoder for the rest is returned. Where
/// the firewall only logs, so it does of what is too long or finds no memory, and lets the rest stream.
pub async fn hold(
    connection: &Connection,
    policy: &Policy,
    waf: &WafPolicy,
    scratch: &mut Scratch,
    facts: &mut Facts,
) -> Result<(Held, Option<BodyDecoder>), Stop> {
    let framing = scratch.head.framing;
    let site = policy.sites.at(facts.site);
    let refuses_longer = waf.refuses_longer && !facts.is_watched_only();
    if matches!(framing, Framing::Length(length) if length > waf.inspect_bytes_max as u64)
        && waf.refuses_longer
    {
        if refuses_longer {
            return Err(Refusal::BodyTooLargeToInspect.into());
        }
        record::overlooked(connection, scratch, facts, &Refusal::BodyTooLargeToInspect);
    }
    scratch.body = BodyInHand::No;
    scratch.take_out_head();
    connection.registration.deadline_in(policy.timeouts.body_ms);
    if scratch.head.expect_continue && scratch.input.is_empty() {
        let told = connection.registration.within(connection.client.write_all(encode::CONTINUE)).await;
        client_side(told, || Refusal::BodyTimeout)?;
    }
    let mut is_hurried = false;
    let mut decoder = BodyDecoder::new(framing);
    let mut held = Held::new(connection.worker.shared.bodies.share(facts.client_ip));
    loop {
        while !scratch.input.is_empty() {
            let bytes = scratch.input.bytes();
            let step = decoder.decode(bytes).map_err(Refusal::Body)?;
            let data = bytes.get(step.data).unwrap_or_default();
            let has_room = match held.extend(data) {
                Ok(()) => true,
                Err(exhausted) if facts.is_watched_only() => {
                    held.extend_unpaid(data);
                    record::overlooked(connection, scratch, facts, &Refusal::BodyMemory(exhausted));
                    false
                }
                Err(exhausted) => return Err(Refusal::BodyMemory(exhausted).into()),
            };
            scratch.input.consume(step.consumed);
            if held.bytes.len() as u64 > site.body_bytes_max {
                return Err(Refusal::BodyTooLarge.into());
            }
            let is_longer = held.bytes.len() > waf.inspect_bytes_max;
            if is_longer && refuses_longer {
                return Err(Refusal::BodyTooLargeToInspect.into());
            }
            if step.state == BodyState::Done {
                scratch.body = BodyInHand::Taken;
                connection.registration.lift_limit();
                return Ok((held, None));
            }
            if is_longer || !has_room {
                return Ok((held, Some(decoder)));
            }
        }
        if !is_hurried && connection.worker.shared.bodies.is_tight() {
            is_hurried = true;
            connection.registration.limit_in(policy.timeouts.body_ms.min(HURRIED_MS));
        }
        if connection.read_more(&mut scratch.input, || Refusal::BodyTimeout).await? == 0 {
            return Err(Refusal::Body(BodyError::Truncated).into());
        }
    }
}
