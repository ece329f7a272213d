//! The stages of a request, in order. [`stages`] is the list; everything else here is one stage each, or what follows when one
//! says no.

use crate::answer::{self, Told};
use crate::client;
use crate::connection::Connection;
use crate::exchange;
use crate::facts::Facts;
use crate::inspect::{self, Inspection};
use crate::kill_switch::Stance;
use crate::outcome::{Next, Stop};
use crate::pages::Format;
use crate::policy::Policy;
use crate::rates;
use crate::record;
use crate::refusal::Refusal;
use crate::scratch::{BodyInHand, Scratch};
use crate::shared::Standing;
use crate::site::Site;
use crate::stage::{Stage, flag};
use secbeat_http1::{Framing, Known, Method, Parsed};
use secbeat_types::Origin;
use secbeat_waf::Intervention;
use smallvec::SmallVec;
use std::cell::OnceCell;
use std::time::Instant;

/// What a request says in `Host`.
type HostBytes = SmallVec<[u8; 64]>;

/// Runs one request whose first bytes are in `scratch`, records it, and says what follows.
pub async fn run(connection: &Connection, policy: &Policy, scratch: &mut Scratch) -> Next {
    let worker = &connection.worker;
    let mut facts = Facts::new(worker.ids.next(), connection.peer.ip(), worker.shared.clock.now());
    // What looks at the request looks at its answer too, and at its end says what it found.
    let host = OnceCell::new();
    let mut inspection = None;
    let next = match stages(connection, policy, scratch, &mut facts, &host, &mut inspection).await {
        Ok(next) => next,
        Err(Stop::Refused(refusal)) => {
            facts.scores = inspection.as_ref().map_or(facts.scores, Inspection::scores);
            Box::pin(refuse(connection, policy, scratch, &mut facts, refusal)).await
        }
        Err(Stop::Gone) => {
            let had_begun = facts.status != 0;
            facts.status = record::CLIENT_GONE;
            if had_begun { Next::Abort } else { Next::Close }
        }
        Err(Stop::Broken(why)) => {
            record::broken(connection, scratch, &facts, why);
            Next::Abort
        }
    };
    inspect::finish(connection, policy, scratch, &mut facts, inspection);
    record::finished(connection, policy, scratch, &mut facts);
    scratch.end_request();
    connection.registration.set_client(None);
    connection.registration.lift_limit();
    if connection.worker.registry.is_draining() && next == Next::Request { Next::Close } else { next }
}

async fn stages<'p>(
    connection: &'p Connection,
    policy: &'p Policy,
    scratch: &mut Scratch,
    facts: &mut Facts,
    host: &'p OnceCell<HostBytes>,
    inspection: &mut Option<Inspection<'p>>,
) -> Result<Next, Stop> {
    read_head(connection, policy, scratch).await?;
    identify(connection, policy, scratch, facts);
    facts.stage = Stage::Decision;
    check_decision(connection, facts)?;
    facts.stage = Stage::Limits;
    check_limits(policy.sites.at(facts.site), scratch)?;
    facts.stage = Stage::Rates;
    rates::check(connection, policy, scratch, facts)?;
    facts.stage = Stage::FirewallHead;
    let host = host.get_or_init(|| scratch.head.authority(scratch.head_bytes()).into());
    inspect::head(connection, policy, host, scratch, facts, inspection)?;
    facts.stage = Stage::FirewallBody;
    let body = inspect::body(connection, policy, scratch, facts, inspection.as_mut()).await?;
    facts.stage = Stage::Upstream;
    facts.upstream_since = connection.worker.ledger.access.is_on().then(Instant::now);
    exchange::run(connection, policy, scratch, facts, inspection.as_mut(), body).await
}

/// Reads until the head is whole. The deadline is set only where the head comes in pieces.
async fn read_head(connection: &Connection, policy: &Policy, scratch: &mut Scratch) -> Result<(), Stop> {
    let mut is_timed = false;
    loop {
        match scratch.head.parse(scratch.input.bytes(), &policy.head_limits) {
            Ok(Parsed::Complete) => return Ok(()),
            Err(error) => return Err(Refusal::Head(error).into()),
            Ok(Parsed::Partial) => {}
        }
        if !is_timed {
            connection.registration.deadline_in(policy.timeouts.head_ms);
            is_timed = true;
        }
        // The parser's own limits speak before this one is reached.
        scratch.input.make_room(policy.head_limits.head_bytes_max as usize + 1);
        if connection.read_more(&mut scratch.input, || Refusal::HeadTimeout).await? == 0 {
            return Err(Stop::Gone);
        }
    }
}

/// Notes who asks for what.
fn identify(connection: &Connection, policy: &Policy, scratch: &Scratch, facts: &mut Facts) {
    let head = &scratch.head;
    facts.method = head.known_method;
    facts.version = head.version;
    facts.keep_alive = head.keep_alive;
    facts.upgrade = head.upgrade.is_some();
    let client_ip =
        client::address(connection.peer.ip(), head, scratch.input.bytes(), &policy.trusted_proxies);
    facts.client_ip = client_ip;
    let shared = &connection.worker.shared;
    let authority = head.authority(scratch.input.bytes());
    facts.site = policy.sites.number_of(authority);
    facts.stance = shared.kill_switch.stance(authority, facts.now);
    connection.registration.set_client(Some(client_ip));
}

/// Whether a decision stops the client, or spares it rates. The peer was looked at when it was accepted; this is for who was
/// blocked since, and for clients behind proxies.
fn check_decision(connection: &Connection, facts: &mut Facts) -> Result<(), Stop> {
    let shared = &connection.worker.shared;
    match shared.standing(facts.client_ip, facts.now) {
        Standing::Unknown => {}
        Standing::Allowed(number) => {
            facts.is_allowed = true;
            facts.flags |= flag::ALLOWED;
            facts.decision = number;
        }
        Standing::Blocked(decision)
            if decision.origin == Origin::Manual || facts.stance == Stance::Normal =>
        {
            facts.decision = decision.number();
            return Err(Refusal::Decision(decision).into());
        }
        Standing::Blocked(_) => {}
    }
    Ok(())
}

/// Method and length of the body; what is longer in the head, the parser has refused.
fn check_limits(site: &Site, scratch: &Scratch) -> Result<(), Stop> {
    let method = scratch.head.method.of(scratch.input.bytes());
    if !site.methods.iter().any(|allowed| allowed.as_bytes() == method) {
        return Err(Refusal::Method.into());
    }
    match scratch.head.framing {
        Framing::Length(length) if length > site.body_bytes_max => Err(Refusal::BodyTooLarge.into()),
        _ => Ok(()),
    }
}

/// Tells the client and the operator that the request goes no further.
async fn refuse(
    connection: &Connection,
    policy: &Policy,
    scratch: &mut Scratch,
    facts: &mut Facts,
    refusal: Refusal,
) -> Next {
    let telling = refusal.telling();
    let has_body = !matches!(scratch.head.framing, Framing::None | Framing::Length(0));
    let has_unread_body = has_body && scratch.body == BodyInHand::No;
    let close = refusal.closes() || has_unread_body || !facts.keep_alive;
    facts.status = telling.status;
    facts.flags |= flag::STOPPED;
    let matches = match &refusal {
        // What could be read is looked at all the same, so that the operator sees what was sent.
        Refusal::Head(_) if scratch.head.is_tokenised() => {
            inspect::matches_of_refused(connection, scratch, facts)
        }
        _ => Vec::new(),
    };
    record::refused(connection, scratch, facts, &refusal, &telling, matches);
    if refusal.intervention() == Some(&Intervention::Drop) {
        return Next::Close;
    }
    let accept = scratch.head.value(scratch.head_bytes(), Known::Accept).unwrap_or_default();
    let told = Told {
        status: telling.status,
        id: &facts.id,
        pages: &policy.sites.at(facts.site).pages,
        format: Format::negotiated(accept),
        head_only: facts.method == Method::Head,
        close,
    };
    let out = &mut scratch.answer.output;
    out.clear();
    let head_bytes = answer::write(out, &refusal, &told);
    facts.head_bytes_out = head_bytes;
    connection.registration.deadline_in(LAST_WORDS_MS);
    if connection
        .registration
        .within(connection.client.write_all(out))
        .await
        .is_ok_and(|written| written.is_ok())
    {
        return if close { Next::Linger } else { Next::Request };
    }
    Next::Close
}

/// How long a client may take to read why it was refused.
const LAST_WORDS_MS: u64 = 5_000;
