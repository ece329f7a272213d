//! The firewall over head and body. A body of a type that is inspected is held until it was looked at, up to a limit and within
//! the memory that all such bodies share; everything else streams.

use crate::budget::Held;
use crate::connection::Connection;
use crate::facts::Facts;
use crate::outcome::{Stop, client_side};
use crate::policy::{Policy, WafPolicy};
use crate::record;
use crate::refusal::Refusal;
use crate::scratch::{BodyInHand, Scratch};
use crate::upload::{Body, Upload};
use secbeat_http1::{BodyDecoder, BodyError, BodyState, Framing, Known, RequestHead, encode};
use secbeat_types::{Action, Reason, RuleMatch, Timestamp, Verdict};
use secbeat_waf::{Request, Transaction};
use smallvec::SmallVec;

/// While more than half of the memory for bodies is in use, a body has this long to come whole, so that clients that send slowly
/// on purpose do not keep it from the others.
const HURRIED_MS: u64 = 10_000;

/// Looks at the head. The transaction goes on with the body; `None`: the firewall is off.
pub fn head<'p>(
    connection: &Connection,
    policy: &'p Policy,
    scratch: &Scratch,
    facts: &Facts,
) -> Result<Option<Transaction<'p>>, Stop> {
    let Some(waf) = &policy.waf else { return Ok(None) };
    let mut transaction = waf.rules.transaction(Timestamp::now());
    let verdict = look_at_head(&mut transaction, &scratch.head, scratch.head_bytes());
    settle(connection, scratch, facts, verdict)?;
    Ok(Some(transaction))
}

fn look_at_head(transaction: &mut Transaction<'_>, head: &RequestHead, bytes: &[u8]) -> Verdict {
    let fields: SmallVec<[(&[u8], &[u8]); 24]> =
        head.fields.iter().map(|field| (field.name.of(bytes), field.value.of(bytes))).collect();
    let (method, target) = (head.method.of(bytes), head.target.of(bytes));
    transaction.request_head(&Request { method, target, fields: &fields })
}

/// What the rules find in a head that was refused for what it says: for the event alone.
pub fn matches_of_refused(connection: &Connection, scratch: &Scratch) -> Vec<RuleMatch> {
    let policy = connection.worker.policy();
    let Some(waf) = &policy.waf else { return Vec::new() };
    let mut transaction = waf.rules.transaction(Timestamp::now());
    match look_at_head(&mut transaction, &scratch.head, scratch.head_bytes()).reason {
        Reason::Rules(matches) => matches,
        _ => Vec::new(),
    }
}

/// Stops the request where the verdict says so; tells of it where it says `log`.
fn settle(connection: &Connection, scratch: &Scratch, facts: &Facts, verdict: Verdict) -> Result<(), Stop> {
    match (verdict.action, verdict.reason) {
        (Action::Block, Reason::Rules(matches)) => Err(Refusal::Rules(matches).into()),
        (Action::Log, Reason::Rules(matches)) => {
            record::seen(connection, scratch, facts, matches);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Looks at the body where it is of a type that is inspected, and says how it goes to the backend.
pub async fn body(
    connection: &Connection,
    policy: &Policy,
    scratch: &mut Scratch,
    facts: &Facts,
    transaction: Option<&mut Transaction<'_>>,
) -> Result<Body, Stop> {
    let framing = scratch.head.framing;
    if matches!(framing, Framing::None | Framing::Length(0)) {
        scratch.body = BodyInHand::Taken;
        return Ok(Body::None);
    }
    // A total for all of the body, however it is read: nothing puts it off.
    connection.registration.limit_in(policy.timeouts.body_ms);
    let behind_head = scratch.input.bytes().get(scratch.head.len..).unwrap_or_default();
    let here = match framing {
        Framing::Length(length) => usize::try_from(length).ok().filter(|length| *length <= behind_head.len()),
        _ => None,
    };
    if let Some(length) = here {
        scratch.body = BodyInHand::Here(length);
        connection.registration.lift_limit();
    }
    let content_type = scratch.head.value(scratch.head_bytes(), Known::ContentType);
    let inspected = match (&policy.waf, transaction) {
        (Some(waf), Some(transaction)) => {
            transaction.inspects_body(content_type).map(|kind| (waf, transaction, kind))
        }
        _ => None,
    };
    let Some((waf, transaction, kind)) = inspected else {
        return Ok(here.map_or_else(|| Body::Stream(Upload::new(framing)), Body::Here));
    };
    let mut codings = scratch.head.fields.iter().filter(|field| field.known == Known::ContentEncoding);
    if codings.any(|coding| !coding.value.of(scratch.head_bytes()).eq_ignore_ascii_case(b"identity")) {
        return Err(Refusal::BodyEncoded.into());
    }
    if let Some(length) = here.filter(|length| *length <= waf.inspect_bytes_max) {
        let bytes = behind_head.get(..length).unwrap_or_default();
        let verdict = transaction.request_body(kind, content_type, bytes, true);
        settle(connection, scratch, facts, verdict)?;
        return Ok(Body::Here(length));
    }
    let content_type = content_type.map(<[u8]>::to_vec);
    let (held, rest) = hold(connection, policy, waf, scratch, facts).await?;
    let verdict = transaction.request_body(kind, content_type.as_deref(), &held.bytes, rest.is_none());
    settle(connection, scratch, facts, verdict)?;
    Ok(match rest {
        None => Body::Held(held),
        Some(decoder) => {
            let length = held.bytes.len() as u64;
            Body::Stream(Upload { held: Some(held), decoder, framing, length })
        }
    })
}

/// Reads the body until its end, or until as much of it is here as is inspected; then the decoder for the rest is returned.
async fn hold(
    connection: &Connection,
    policy: &Policy,
    waf: &WafPolicy,
    scratch: &mut Scratch,
    facts: &Facts,
) -> Result<(Held, Option<BodyDecoder>), Stop> {
    let framing = scratch.head.framing;
    if waf.refuses_longer
        && matches!(framing, Framing::Length(length) if length > waf.inspect_bytes_max as u64)
    {
        return Err(Refusal::BodyTooLargeToInspect.into());
    }
    scratch.body = BodyInHand::No;
    scratch.take_out_head();
    connection.registration.deadline_in(policy.timeouts.body_ms);
    if scratch.head.expect_continue && scratch.input.is_empty() {
        let told = connection.registration.within(connection.client.write_all(encode::CONTINUE)).await;
        client_side(told, || Refusal::BodyTimeout)?;
    }
    let input = &mut scratch.input;
    let mut is_hurried = false;
    let mut decoder = BodyDecoder::new(framing);
    let mut held = Held::new(connection.worker.shared.bodies.share(facts.client_ip));
    loop {
        while !input.is_empty() {
            let bytes = input.bytes();
            let step = decoder.decode(bytes).map_err(Refusal::Body)?;
            let data = bytes.get(step.data).unwrap_or_default();
            held.extend(data).map_err(Refusal::BodyMemory)?;
            input.consume(step.consumed);
            if held.bytes.len() as u64 > policy.body_bytes_max {
                return Err(Refusal::BodyTooLarge.into());
            }
            let is_longer = held.bytes.len() > waf.inspect_bytes_max;
            if is_longer && waf.refuses_longer {
                return Err(Refusal::BodyTooLargeToInspect.into());
            }
            if step.state == BodyState::Done {
                scratch.body = BodyInHand::Taken;
                connection.registration.lift_limit();
                return Ok((held, None));
            }
            if is_longer {
                return Ok((held, Some(decoder)));
            }
        }
        if !is_hurried && connection.worker.shared.bodies.is_tight() {
            is_hurried = true;
            connection.registration.limit_in(policy.timeouts.body_ms.min(HURRIED_MS));
        }
        if connection.read_more(input, || Refusal::BodyTimeout).await? == 0 {
            return Err(Refusal::Body(BodyError::Truncated).into());
        }
    }
}
