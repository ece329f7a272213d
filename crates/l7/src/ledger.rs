//! What is written down of each request at its end: a trace in memory, a line in the access log, a record on disk. Which of them
//! there is, the settings say; none of them waits for anything.

use crate::connection::Connection;
use crate::facts::Facts;
use crate::policy::Policy;
use crate::scratch::{BodyInHand, Scratch};
use crate::stage::flag;
use secbeat_http1::{Known, Version};
use secbeat_telemetry::{
    Access, AccessBuffer, AccessLog, Audit, AuditLog, AuditRule, Draft, Recorder, RecorderTap, Trace,
    TraceRing,
};
use secbeat_waf::Transaction;
use std::sync::Arc;
use std::time::Instant;

/// What all workers write into.
pub struct Ledgers {
    /// What became of the newest requests of each worker.
    pub traces: Vec<Arc<TraceRing>>,
    /// A line for each request.
    pub access: Arc<AccessLog>,
    /// What SecLang rules found.
    pub audit: Arc<AuditLog>,
    /// Requests that were stopped, and a sample of the rest.
    pub recorder: Arc<Recorder>,
}

impl Ledgers {
    /// For so many workers.
    pub fn new(workers: usize, access: AccessLog, audit: AuditLog, recorder: Recorder) -> Self {
        let traces = (0..workers.max(1)).map(|_| Arc::default()).collect();
        let (access, audit, recorder) = (Arc::new(access), Arc::new(audit), Arc::new(recorder));
        Self { traces, access, audit, recorder }
    }

    /// The hand of worker number `index`.
    pub fn of_worker(&self, index: usize) -> Ledger {
        Ledger {
            traces: self.traces.get(index).cloned().unwrap_or_default(),
            access: AccessBuffer::new(self.access.clone()),
            audit: self.audit.clone(),
            recorder: RecorderTap::new(self.recorder.clone()),
        }
    }

    /// What became of the request of this id, where it is remembered.
    pub fn find(&self, id: u64) -> Option<Trace> {
        self.traces.iter().find_map(|traces| traces.find(id))
    }
}

/// A worker's hand in the [`Ledgers`].
pub struct Ledger {
    traces: Arc<TraceRing>,
    /// A line for each request.
    pub access: AccessBuffer,
    /// What SecLang rules found.
    pub audit: Arc<AuditLog>,
    /// Requests that were stopped, and a sample of the rest.
    pub recorder: RecorderTap,
}

/// The action of a request, for people: what its flags come to.
pub fn action(flags: u8) -> &'static str {
    match flags {
        flags if flags & flag::STOPPED != 0 => "stopped",
        flags if flags & flag::SANITIZED != 0 => "sanitized",
        flags if flags & flag::LOGGED != 0 => "logged",
        _ => "passed",
    }
}

/// Writes down a request that ended at `now`.
pub fn enter(
    connection: &Connection,
    policy: &Policy,
    scratch: &Scratch,
    facts: &mut Facts,
    now: Instant,
    (bytes_in, bytes_out): (u64, u64),
) {
    let ledger = &connection.worker.ledger;
    let duration = now.saturating_duration_since(facts.started);
    ledger.traces.write(&Trace {
        id: facts.id.number(),
        client: facts.client_ip,
        at: facts.now,
        generation: u32::try_from(policy.generation).unwrap_or(u32::MAX),
        status: facts.status,
        stage: facts.stage as u8,
        flags: facts.flags,
        duration_us: u32::try_from(duration.as_micros()).unwrap_or(u32::MAX),
        site: u16::try_from(facts.site).unwrap_or(u16::MAX),
        decision: facts.decision,
        connection: connection.registration.number(),
    });
    if ledger.access.is_on() {
        log_access(connection, policy, scratch, facts, now, (bytes_in, bytes_out));
    }
    if ledger.recorder.wants(facts.flags & flag::STOPPED != 0) {
        record(connection, policy, scratch, facts);
    }
}

fn log_access(
    connection: &Connection,
    policy: &Policy,
    scratch: &Scratch,
    facts: &Facts,
    now: Instant,
    (bytes_in, bytes_out): (u64, u64),
) {
    let (head, bytes) = (&scratch.head, scratch.head_bytes());
    connection.worker.ledger.access.write(&Access {
        at: facts.now,
        client_ip: facts.client_ip.to_canonical(),
        request_id: facts.id.as_str(),
        method: head.method.of(bytes),
        host: head.authority(bytes),
        target: head.target.of(bytes),
        protocol: protocol(facts),
        status: facts.status,
        bytes_in,
        bytes_out,
        body_bytes_out: bytes_out.saturating_sub(facts.head_bytes_out),
        duration: now.saturating_duration_since(facts.started),
        upstream: facts.upstream_since.map(|since| now.saturating_duration_since(since)),
        user_agent: head.value(bytes, Known::UserAgent).unwrap_or_default(),
        referer: head.named(bytes, b"referer").unwrap_or_default(),
        site: site_name(policy, facts),
        action: action(facts.flags),
    });
}

/// Writes what rules in SecLang found into the audit log.
pub fn audit(
    connection: &Connection,
    policy: &Policy,
    scratch: &Scratch,
    facts: &Facts,
    transaction: &Transaction<'_>,
) {
    let audited = transaction.audited();
    let Some(first) = audited.first() else { return };
    let rule_id = Some(first.found.rule_id.to_string());
    let scores = facts.scores.map_or_else(Vec::new, |scores| {
        vec![
            ("inbound", scores.inbound),
            ("inbound_threshold", scores.inbound_threshold),
            ("outbound", scores.outbound),
            ("outbound_threshold", scores.outbound_threshold),
        ]
    });
    let (matches, rules) = audited
        .into_iter()
        .map(|audited| {
            let rule = AuditRule {
                file: audited.rule.file.clone(),
                line: audited.rule.line,
                phase: audited.rule.phase as u8,
                version: audited.rule.ver.clone(),
                tags: audited.rule.tags.iter().map(|tag| tag.as_str().into()).collect(),
            };
            (audited.found, rule)
        })
        .unzip();
    let request = Draft { matches, rule_id, ..draft(policy, scratch, facts) };
    connection.worker.ledger.audit.hand_over(Audit { request, rules, scores });
}

fn record(connection: &Connection, policy: &Policy, scratch: &Scratch, facts: &mut Facts) {
    let ledger = &connection.worker.ledger;
    let body = match (facts.body_copy.take(), scratch.body) {
        (Some(body), _) => Some(body),
        (None, BodyInHand::Here(length)) if ledger.recorder.wants_bodies() => {
            scratch.behind_head().get(..length).map(<[u8]>::to_vec)
        }
        _ => None,
    };
    let matches = std::mem::take(&mut facts.matches);
    let rule_id = matches.first().map(|found| found.rule_id.to_string());
    ledger.recorder.hand_over(Draft { body, matches, rule_id, ..draft(policy, scratch, facts) });
}

/// What is written down of a request, but for its body and what rules found.
fn draft(policy: &Policy, scratch: &Scratch, facts: &Facts) -> Draft {
    let (head, bytes) = (&scratch.head, scratch.head_bytes());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Draft {
        request_id: facts.id.as_str().to_owned(),
        timestamp: facts.now,
        client_ip: facts.client_ip.to_canonical(),
        site: site_name(policy, facts).to_owned(),
        method: text(head.method.of(bytes)),
        target: text(head.target.of(bytes)),
        version: protocol(facts),
        fields: head.fields.iter().map(|f| (text(f.name.of(bytes)), text(f.value.of(bytes)))).collect(),
        body: None,
        body_bytes: facts.body_bytes,
        status: facts.status,
        stopped: facts.flags & flag::STOPPED != 0,
        action: action(facts.flags),
        rule_id: None,
        matches: Vec::new(),
    }
}

fn protocol(facts: &Facts) -> &'static str {
    match facts.version {
        Version::Http10 => "HTTP/1.0",
        Version::Http11 => "HTTP/1.1",
    }
}

fn site_name<'p>(policy: &'p Policy, facts: &Facts) -> &'p str {
    &policy.sites.at(facts.site).name
}
