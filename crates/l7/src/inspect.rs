//! The firewall over head and body. A body of a type that is inspected is held until it was looked at, up to a limit and within
//! the memory that all such bodies share; everything else streams.

mod answer;

use crate::budget::Held;
use crate::connection::Connection;
use crate::facts::Facts;
use crate::hold::hold;
use crate::kill_switch::Stance;
use crate::ledger;
use crate::outcome::Stop;
use crate::policy::Policy;
use crate::rates;
use crate::record;
use crate::refusal::Refusal;
use crate::sanitize;
use crate::scratch::{BodyInHand, Scratch};
use crate::site::WafPolicy;
use crate::stage::flag;
use crate::upload::{Body, Upload};
use secbeat_http1::{Framing, Known, RequestHead};
use secbeat_intel::Rate;
use secbeat_telemetry::recorder::BODY_BYTES_READ_MAX;
use secbeat_types::{Action, Reason, RuleMatch, Verdict};
use secbeat_waf::body::compressed::{self, CompressionError, Decoded};
use secbeat_waf::sanitize::ROUNDS_MAX;
use secbeat_waf::{BodyFollows, BodyKind, Context, Intervention, Request, RuleSet, Transaction};
use smallvec::SmallVec;
use std::time::Instant;

/// The firewall in the middle of a request.
pub struct Inspection<'p> {
    waf: &'p WafPolicy,
    transaction: Transaction<'p>,
    /// What rules that only log have found in the answer.
    seen: Vec<RuleMatch>,
}

/// What follows a verdict that does not stop the request.
enum Settled {
    /// The next phase.
    GoesOn,
    /// No further phase.
    Allowed,
    /// What matched is to be taken out, and the rest looked at again.
    Sanitize(Vec<RuleMatch>),
}

/// Looks at the head, and takes out of it what is to be taken out. The inspection goes on with the body and the answer in
/// `inspection`, also where it has stopped the request; `None`: it is off. `host` is what the request says in `Host`.
pub fn head<'p>(
    connection: &'p Connection,
    policy: &'p Policy,
    host: &'p [u8],
    scratch: &mut Scratch,
    facts: &mut Facts,
    inspection: &mut Option<Inspection<'p>>,
) -> Result<(), Stop> {
    let waf = policy.sites.at(facts.site).waf.as_ref().filter(|_| facts.stance != Stance::Off);
    let Some(waf) = waf else {
        facts.flags |= flag::UNWATCHED;
        return Ok(());
    };
    let scope = if facts.stance == Stance::Monitor { &waf.watching } else { &waf.scope };
    if scope.is_monitor() {
        facts.flags |= flag::MONITORED;
    }
    let context = Context {
        client: facts.client_ip,
        host,
        now: facts.now,
        scope,
        exceptions: &policy.exceptions,
        csrf: waf.csrf.as_ref(),
        client_port: connection.peer.port(),
        server: Some(policy.bind_address),
        collections: Some(&*connection.worker.shared.collections),
    };
    for round in 0.. {
        let Inspection { transaction, .. } = inspection.insert(Inspection {
            waf,
            transaction: waf.rules.transaction(context),
            seen: Vec::new(),
        });
        let body = match scratch.head.framing {
            Framing::None | Framing::Length(0) => BodyFollows::No,
            _ => BodyFollows::Inspected,
        };
        let verdict = look_at_head(transaction, &scratch.head, scratch.head_bytes(), facts.id.as_str(), body);
        facts.scores = transaction.scores();
        count_excepted(connection, transaction);
        let told = transaction.take_intervention();
        let matches = match settle(connection, &waf.rules, scratch, facts, verdict, told)? {
            Settled::GoesOn | Settled::Allowed => return Ok(()),
            Settled::Sanitize(matches) if round == ROUNDS_MAX => {
                return Err(Refusal::Rules(matches, None).into());
            }
            Settled::Sanitize(matches) => matches,
        };
        let cleaned = sanitize::head(&scratch.head, scratch.head_bytes(), transaction.edits());
        // Before the head is replaced: what is told is what was sent.
        record::sanitized(connection, scratch, facts, &matches, round == 0);
        if scratch.replace_head(cleaned, &policy.head_limits).is_err() {
            return Err(Refusal::Rules(matches, None).into());
        }
    }
    Ok(())
}

/// Ends the inspection with the request: tells what was found in the answer, and writes what was found into the audit log.
pub fn finish(
    connection: &Connection,
    policy: &Policy,
    scratch: &Scratch,
    facts: &mut Facts,
    inspection: Option<Inspection<'_>>,
) {
    let Some(Inspection { mut transaction, seen, .. }) = inspection else { return };
    facts.scores = transaction.scores().or(facts.scores);
    record::seen(connection, scratch, facts, seen);
    transaction.finish();
    count_excepted(connection, &transaction);
    if connection.worker.ledger.audit.is_on() {
        ledger::audit(connection, policy, scratch, facts, &transaction);
    }
}

fn count_excepted(connection: &Connection, transaction: &Transaction<'_>) {
    match transaction.take_excepted() {
        0 => {}
        matches => connection.worker.metrics.exceptions_hit(matches),
    }
}

fn look_at_head(
    transaction: &mut Transaction<'_>,
    head: &RequestHead,
    bytes: &[u8],
    id: &str,
    body: BodyFollows,
) -> Verdict {
    let fields: SmallVec<[(&[u8], &[u8]); 24]> =
        head.fields.iter().map(|field| (field.name.of(bytes), field.value.of(bytes))).collect();
    let (method, target) = (head.method.of(bytes), head.target.of(bytes));
    let protocol = head.protocol(bytes);
    transaction.request_head(&Request { method, target, fields: &fields, protocol, id, body })
}

/// What the rules find in a head that was refused for what it says: for the event alone.
pub fn matches_of_refused(connection: &Connection, scratch: &Scratch, facts: &Facts) -> Vec<RuleMatch> {
    let policy = connection.worker.policy();
    let Some(waf) = &policy.sites.at(facts.site).waf else { return Vec::new() };
    let mut transaction = waf.rules.transaction(Context {
        client: facts.client_ip,
        host: b"",
        now: facts.now,
        scope: &waf.scope,
        exceptions: &policy.exceptions,
        csrf: None,
        client_port: connection.peer.port(),
        server: None,
        collections: None,
    });
    let (head, id) = (&scratch.head, facts.id.as_str());
    match look_at_head(&mut transaction, head, scratch.head_bytes(), id, BodyFollows::Streamed).reason {
        Reason::Rules(matches) => matches,
        _ => Vec::new(),
    }
}

/// Stops the request where the verdict says so, as `told`; tells of it where it says `log`.
fn settle(
    connection: &Connection,
    rules: &RuleSet,
    scratch: &Scratch,
    facts: &mut Facts,
    verdict: Verdict,
    told: Option<Intervention>,
) -> Result<Settled, Stop> {
    let (action, Reason::Rules(matches)) = (verdict.action, verdict.reason) else {
        return Ok(Settled::GoesOn);
    };
    if matches!(action, Action::RateLimit | Action::Sanitize)
        && let Some(retry_after_s) = too_often(connection, rules, &matches, facts)
    {
        connection.worker.metrics.rate_limited();
        return Err(Refusal::RuleRate { matches, retry_after_s }.into());
    }
    match action {
        Action::Block => return Err(Refusal::Rules(matches, told).into()),
        Action::Sanitize => return Ok(Settled::Sanitize(matches)),
        Action::Pass | Action::Log | Action::RateLimit | Action::Allow => {}
    }
    if matches.iter().any(|found| found.action == Action::Log) {
        record::seen(connection, scratch, facts, matches);
    }
    Ok(if action == Action::Allow { Settled::Allowed } else { Settled::GoesOn })
}

/// Counts the request in the rates of the rules that matched, in each once; where it comes too early, the seconds until the next
/// may.
fn too_often(
    connection: &Connection,
    rules: &RuleSet,
    matches: &[RuleMatch],
    facts: &mut Facts,
) -> Option<u64> {
    if facts.is_allowed {
        return None;
    }
    let shared = &connection.worker.shared;
    let now_ns = shared.since_start_ns(Instant::now());
    matches.iter().filter(|found| found.action == Action::RateLimit).find_map(|found| {
        if facts.counted.contains(&found.rule_id) {
            return None;
        }
        facts.counted.push(found.rule_id.clone());
        let rate = rules.rate_of(&found.rule_id)?;
        let rate = Rate::new(rate.requests, rate.per, rate.burst);
        let counted = rates::check_rule(shared, &found.rule_id, &rate, facts.client_ip, now_ns);
        counted.err().map(|retry| retry.seconds())
    })
}

/// Looks at the body where it is of a type that is inspected, takes out of it what is to be taken out, and says how it goes to
/// the backend.
pub async fn body(
    connection: &Connection,
    policy: &Policy,
    scratch: &mut Scratch,
    facts: &mut Facts,
    inspection: Option<&mut Inspection<'_>>,
) -> Result<Body, Stop> {
    let framing = scratch.head.framing;
    if matches!(framing, Framing::None | Framing::Length(0)) {
        scratch.body = BodyInHand::Taken;
        return Ok(Body::None);
    }
    // A total for all of the body, however it is read: nothing puts it off.
    connection.registration.limit_in(policy.timeouts.body_ms);
    let behind_head = scratch.behind_head().len();
    let here = match framing {
        Framing::Length(length) => usize::try_from(length).ok().filter(|length| *length <= behind_head),
        _ => None,
    };
    if let Some(length) = here {
        scratch.body = BodyInHand::Here(length);
        facts.body_bytes = length as u64;
        connection.registration.lift_limit();
    }
    let content_type = scratch.head.value(scratch.head_bytes(), Known::ContentType);
    let passing = || here.map_or_else(|| Body::Stream(Upload::new(framing)), Body::Here);
    let Some(Inspection { waf, transaction, .. }) = inspection else { return Ok(passing()) };
    let codings = codings(waf, scratch);
    let (kind, codings) = match (transaction.inspects_body(content_type), codings) {
        (Some(kind), Some(codings)) => (kind, codings),
        // Of what it says it is nothing is known: it is looked at as it is.
        (Some(BodyKind::Other), None) => (BodyKind::Other, Vec::new()),
        (Some(_), None) if !facts.is_watched_only() => return Err(Refusal::BodyEncoded.into()),
        (kind, _) => {
            if kind.is_some() {
                record::overlooked(connection, scratch, facts, &Refusal::BodyEncoded);
            }
            let verdict = transaction.body_not_inspected();
            facts.scores = transaction.scores();
            // Nothing can be taken out of what is not looked at.
            settle(connection, &waf.rules, scratch, facts, verdict, transaction.take_intervention())?;
            return Ok(passing());
        }
    };
    facts.flags |= flag::BODY_INSPECTED;
    let content_type = content_type.map(<[u8]>::to_vec);
    let mut judge = Judge { connection, waf, transaction, kind, content_type, codings };
    if let Some(length) = here.filter(|length| *length <= waf.inspect_bytes_max) {
        let bytes = scratch.behind_head().get(..length).unwrap_or_default();
        return match judge.body(scratch, facts, bytes, true)? {
            None => Ok(Body::Here(length)),
            Some(cleaned) => {
                let share = connection.worker.shared.bodies.share(facts.client_ip);
                Ok(Body::Held(Held::of(share, cleaned).map_err(Refusal::BodyMemory)?))
            }
        };
    }
    let (held, rest) = hold(connection, policy, waf, scratch, facts).await?;
    if rest.is_some() {
        facts.flags |= flag::BODY_CUT;
    }
    facts.body_bytes = held.bytes.len() as u64;
    if connection.worker.ledger.recorder.wants_bodies() && held.bytes.len() <= BODY_BYTES_READ_MAX {
        facts.body_copy = Some(held.bytes.clone());
    }
    let cleaned = judge.body(scratch, facts, &held.bytes, rest.is_none())?;
    Ok(match (rest, cleaned) {
        (None, None) => Body::Held(held),
        (None, Some(cleaned)) => Body::Held(held.replaced(cleaned).map_err(Refusal::BodyMemory)?),
        (Some(decoder), _) => {
            let length = held.bytes.len() as u64;
            Body::Stream(Upload { held: Some(held), decoder, framing, length })
        }
    })
}

/// The content codings of the body, in the order in which they were applied; `None`: there is one that is not undone here, or
/// more than are.
fn codings(waf: &WafPolicy, scratch: &Scratch) -> Option<Vec<compressed::Coding>> {
    let of_head = scratch.head.fields.iter().filter(|field| field.known == Known::ContentEncoding);
    let codings = compressed::Coding::list(of_head.map(|field| field.value.of(scratch.head_bytes())));
    codings.filter(|codings| codings.len() <= waf.coding_layers_max)
}

/// The firewall over one body.
struct Judge<'j, 'p> {
    connection: &'j Connection,
    waf: &'p WafPolicy,
    transaction: &'j mut Transaction<'p>,
    kind: BodyKind,
    content_type: Option<Vec<u8>>,
    codings: Vec<compressed::Coding>,
}

impl Judge<'_, '_> {
    /// Looks at a body, and again as often as something was taken out. The body without it; `None`: nothing was.
    fn body(
        &mut self,
        scratch: &Scratch,
        facts: &mut Facts,
        bytes: &[u8],
        complete: bool,
    ) -> Result<Option<Vec<u8>>, Stop> {
        let mut cleaned: Option<Vec<u8>> = None;
        for round in 0..=ROUNDS_MAX {
            let bytes = cleaned.as_deref().unwrap_or(bytes);
            let verdict = self.verdict(scratch, facts, bytes, complete)?;
            let told = self.transaction.take_intervention();
            let matches = match settle(self.connection, &self.waf.rules, scratch, facts, verdict, told)? {
                Settled::GoesOn | Settled::Allowed => return Ok(cleaned),
                Settled::Sanitize(matches) => matches,
            };
            // Of a body that is compressed, or not all here, no part can be taken out so that lengths are right.
            if !complete || !self.codings.is_empty() || round == ROUNDS_MAX {
                return Err(Refusal::Rules(matches, None).into());
            }
            record::sanitized(self.connection, scratch, facts, &matches, round == 0);
            cleaned = Some(secbeat_waf::sanitize::apply(bytes, self.transaction.edits().iter()));
        }
        Ok(cleaned)
    }

    fn verdict(
        &mut self,
        scratch: &Scratch,
        facts: &mut Facts,
        bytes: &[u8],
        complete: bool,
    ) -> Result<Verdict, Stop> {
        let content_type = self.content_type.as_deref();
        let verdict = match self.decoded(bytes, complete) {
            None => self.transaction.request_body(self.kind, content_type, bytes, complete),
            Some(Err(error)) => self.transaction.body_not_decoded(error),
            Some(Ok(decoded)) => {
                if complete && !decoded.complete {
                    self.decodes_to_more(scratch, facts)?;
                }
                self.transaction.request_body(self.kind, content_type, &decoded.bytes, decoded.complete)
            }
        };
        count_excepted(self.connection, self.transaction);
        facts.scores = self.transaction.scores();
        Ok(verdict)
    }

    /// The body with its codings undone; `None`: it has none.
    fn decoded(&self, bytes: &[u8], complete: bool) -> Option<Result<Decoded, CompressionError>> {
        let limits = compressed::Limits {
            output_max: self.waf.inspect_bytes_max,
            ratio_max: self.waf.coding_ratio_max,
            layers_max: self.waf.coding_layers_max,
        };
        (!self.codings.is_empty()).then(|| compressed::decode(bytes, &self.codings, complete, &limits))
    }

    /// A body that is longer than is inspected once its codings are undone is as one that came so long.
    fn decodes_to_more(&self, scratch: &Scratch, facts: &mut Facts) -> Result<(), Stop> {
        facts.flags |= flag::BODY_CUT;
        match (self.waf.refuses_longer, facts.is_watched_only()) {
            (true, false) => Err(Refusal::BodyTooLargeToInspect.into()),
            (true, true) => {
                record::overlooked(self.connection, scratch, facts, &Refusal::BodyTooLargeToInspect);
                Ok(())
            }
            (false, _) => Ok(()),
        }
    }
}
