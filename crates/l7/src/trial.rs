//! What the firewall would do with a request that nobody has sent: the same rules in the same order as [`crate::inspect`], but
//! nothing is sent on, counted or told.

use crate::kill_switch::Stance;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::site::{Site, WafPolicy};
use secbeat_http1::{BodyDecoder, BodyState, Framing, Parsed, RequestHead, Version};
use secbeat_types::{Action, Reason, RuleMatch, Scores, Timestamp, Verdict};
use secbeat_waf::body::compressed::{Coding, Limits, decode};
use secbeat_waf::sanitize::{self, Edit, Place, ROUNDS_MAX};
use secbeat_waf::{BodyFollows, BodyKind, Context, ExceptionSet, Intervention, Request, Transaction};
use std::net::IpAddr;
use std::sync::Arc;

/// A request to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Who asks.
    pub client: IpAddr,
    /// The host that is asked, with a port or without.
    pub host: Vec<u8>,
    /// The method.
    pub method: Vec<u8>,
    /// The target.
    pub target: Vec<u8>,
    /// `HTTP/1.1`
    pub protocol: &'static [u8],
    /// The header fields, name and value, in order.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body without its framing, its content codings still on.
    pub body: Vec<u8>,
}

/// What the firewall would do.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The strongest thing that it does; `None`: it does not look.
    pub action: Option<Action>,
    /// The status that the client would get, where the request is stopped.
    pub status: Option<u16>,
    /// Why, in a sentence; empty where nothing was found.
    pub reason: String,
    /// What rules found, the one that settled it first.
    pub matches: Vec<Found>,
    /// What that comes to, where rules score.
    pub scores: Option<Scores>,
    /// Matches that exceptions kept from counting.
    pub excepted: u32,
    /// Whether the body was looked at.
    pub body_inspected: bool,
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// As events tell it.
    pub told: RuleMatch,
    /// Of a rule in SecLang: what led to it.
    pub trace: Option<Trace>,
}

/// Where a rule in SecLang is, and what it saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The value as the rule saw it, at most 512 bytes.
    pub value: Vec<u8>,
    /// The rule's file.
    pub file: Arc<str>,
    /// The line on which it begins.
    pub line: u32,
    /// Its phase, 1 to 5.
    pub phase: u8,
}

impl Trial {
    /// Reads a request as it would come over a connection: head and body, to the last byte.
    ///
    /// # Errors
    /// It would be refused before a rule looks at it; or it is not all there, or more than one request.
    pub fn read(bytes: &[u8], client: IpAddr, policy: &Policy) -> Result<Trial, Unread> {
        let mut head = RequestHead::default();
        match head.parse(bytes, &policy.head_limits) {
            Ok(Parsed::Complete) => {}
            Ok(Parsed::Partial) => {
                return Err(Unread::Incomplete(
                    "the head does not end: expected an empty line behind its fields",
                ));
            }
            Err(error) => return Err(Unread::Refused(Refusal::Head(error))),
        }
        let body = body_of(head.framing, bytes.get(head.len..).unwrap_or_default())?;
        Ok(Trial {
            client,
            host: head.authority(bytes).to_vec(),
            method: head.method.of(bytes).to_vec(),
            target: head.target.of(bytes).to_vec(),
            protocol: match head.version {
                Version::Http10 => b"HTTP/1.0",
                Version::Http11 => b"HTTP/1.1",
            },
            fields: head
                .fields
                .iter()
                .map(|field| (field.name.of(bytes).to_vec(), field.value.of(bytes).to_vec()))
                .collect(),
            body,
        })
    }

    /// Its site.
    pub fn site<'p>(&self, policy: &'p Policy) -> &'p Site {
        policy.sites.at(policy.sites.number_of(&self.host))
    }

    /// What the firewall would do at `now`. What `exceptions` keep from counting is counted as their hits: they are to be a set of
    /// the caller's own.
    pub fn judge(
        &self,
        policy: &Policy,
        exceptions: &ExceptionSet,
        stance: Stance,
        now: Timestamp,
    ) -> Outcome {
        let site = self.site(policy);
        if !site.methods.iter().any(|allowed| allowed.as_bytes() == self.method) {
            return Outcome::refused(&Refusal::Method);
        }
        if self.body.len() as u64 > site.body_bytes_max {
            return Outcome::refused(&Refusal::BodyTooLarge);
        }
        let Some(waf) = site.waf.as_ref().filter(|_| stance != Stance::Off) else {
            return Outcome { reason: "the firewall is off here".into(), ..Outcome::default() };
        };
        let scope = if stance == Stance::Monitor { &waf.watching } else { &waf.scope };
        let context = Context {
            client: self.client,
            host: &self.host,
            now,
            scope,
            exceptions,
            csrf: waf.csrf.as_ref(),
            client_port: 0,
            server: Some(policy.bind_address),
            collections: None,
        };
        let mut outcome = Outcome { action: Some(Action::Pass), ..Outcome::default() };
        let mut request = self.clone();
        for round in 0..=ROUNDS_MAX {
            let mut transaction = waf.rules.transaction(context);
            let edits = request.run(waf, scope.is_monitor(), &mut transaction, &mut outcome);
            outcome.conclude(transaction);
            match edits {
                edits if edits.is_empty() || outcome.stops() => break,
                _ if round == ROUNDS_MAX => outcome.stop(Action::Block, 403),
                edits => request.edit(&edits),
            }
        }
        outcome
    }

    /// Runs the phases; what is to be taken out before they are run again. `is_watched`: nothing stops here.
    fn run(
        &self,
        waf: &WafPolicy,
        is_watched: bool,
        transaction: &mut Transaction<'_>,
        outcome: &mut Outcome,
    ) -> Vec<Edit> {
        let fields: Vec<(&[u8], &[u8])> =
            self.fields.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        let body = if self.body.is_empty() { BodyFollows::No } else { BodyFollows::Inspected };
        let verdict = transaction.request_head(&Request {
            method: &self.method,
            target: &self.target,
            fields: &fields,
            protocol: self.protocol,
            id: "trial",
            body,
        });
        if !outcome.heed(&verdict, transaction.take_intervention()) || body == BodyFollows::No {
            return transaction.edits().to_vec();
        }
        let verdict = match self.body_kind(waf, is_watched, transaction) {
            Err(refusal) => {
                outcome.refuse(&refusal);
                return Vec::new();
            }
            Ok(None) => transaction.body_not_inspected(),
            Ok(Some((kind, codings))) => {
                let complete = self.body.len() <= waf.inspect_bytes_max;
                let refuses_longer = waf.refuses_longer && !is_watched;
                if !complete && refuses_longer {
                    outcome.refuse(&Refusal::BodyTooLargeToInspect);
                    return Vec::new();
                }
                outcome.body_inspected = true;
                let seen = self.body.get(..waf.inspect_bytes_max).unwrap_or(&self.body);
                let limits = Limits {
                    output_max: waf.inspect_bytes_max,
                    ratio_max: waf.coding_ratio_max,
                    layers_max: waf.coding_layers_max,
                };
                let content_type = self.field(b"content-type");
                if codings.is_empty() {
                    transaction.request_body(kind, content_type, seen, complete)
                } else {
                    match decode(seen, &codings, complete, &limits) {
                        Ok(decoded) if complete && !decoded.complete && refuses_longer => {
                            outcome.refuse(&Refusal::BodyTooLargeToInspect);
                            return Vec::new();
                        }
                        Ok(decoded) => {
                            transaction.request_body(kind, content_type, &decoded.bytes, decoded.complete)
                        }
                        Err(error) => transaction.body_not_decoded(error),
                    }
                }
            }
        };
        outcome.heed(&verdict, transaction.take_intervention());
        transaction.edits().to_vec()
    }

    /// How the body is looked at; `None`: it is not.
    fn body_kind(
        &self,
        waf: &WafPolicy,
        is_watched: bool,
        transaction: &Transaction<'_>,
    ) -> Result<Option<(BodyKind, Vec<Coding>)>, Refusal> {
        let of_head = self.fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding"));
        let codings = Coding::list(of_head.map(|(_, value)| &value[..]));
        let codings = codings.filter(|codings| codings.len() <= waf.coding_layers_max);
        match (transaction.inspects_body(self.field(b"content-type")), codings) {
            (Some(kind), Some(codings)) => Ok(Some((kind, codings))),
            (Some(BodyKind::Other), None) => Ok(Some((BodyKind::Other, Vec::new()))),
            (Some(_), None) if !is_watched => Err(Refusal::BodyEncoded),
            _ => Ok(None),
        }
    }

    /// The value of the first field of this name, in lower case.
    fn field(&self, name: &[u8]) -> Option<&[u8]> {
        self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &value[..])
    }

    fn edit(&mut self, edits: &[Edit]) {
        let at = |place: Place| edits.iter().filter(move |edit| edit.place == place);
        self.target = sanitize::apply(&self.target, at(Place::Target));
        self.body = sanitize::apply(&self.body, at(Place::Body));
        for (index, (_, value)) in self.fields.iter_mut().enumerate() {
            *value = sanitize::apply(value, at(Place::Field(index)));
        }
    }
}

/// Why a request is not tried.
#[derive(Debug)]
pub enum Unread {
    /// It would be refused before a rule looks at it.
    Refused(Refusal),
    /// It is not all there, or more than one; what was expected.
    Incomplete(&'static str),
}

fn body_of(framing: Framing, mut rest: &[u8]) -> Result<Vec<u8>, Unread> {
    let (mut decoder, mut body) = (BodyDecoder::new(framing), Vec::new());
    loop {
        let step = decoder.decode(rest).map_err(|error| Unread::Refused(Refusal::Body(error)))?;
        body.extend_from_slice(rest.get(step.data).unwrap_or_default());
        rest = rest.get(step.consumed..).unwrap_or_default();
        match step.state {
            BodyState::Done if rest.is_empty() => return Ok(body),
            BodyState::Done => {
                let expected =
                    "there is more behind the request: expected a Content-Length that counts all of its body";
                return Err(Unread::Incomplete(expected));
            }
            BodyState::More if rest.is_empty() => {
                return Err(Unread::Incomplete("the body is shorter than the head says"));
            }
            BodyState::More => {}
        }
    }
}

impl Outcome {
    /// Whether the request would go no further.
    pub fn stops(&self) -> bool {
        self.status.is_some()
    }

    /// That of a request that is refused before a rule looks at it.
    pub fn refused(refusal: &Refusal) -> Outcome {
        let mut outcome = Outcome::default();
        outcome.refuse(refusal);
        outcome
    }

    fn refuse(&mut self, refusal: &Refusal) {
        self.stop(Action::Block, refusal.telling().status);
        self.reason = refusal.reason();
    }

    fn stop(&mut self, action: Action, status: u16) {
        (self.action, self.status) = (Some(action), Some(status));
    }

    /// Takes note of a verdict; whether the next phase follows.
    fn heed(&mut self, verdict: &Verdict, told: Option<Intervention>) -> bool {
        if let Reason::Rules(matches) = &verdict.reason
            && self.action.is_none_or(|before| before <= verdict.action)
        {
            self.reason = matches.first().map(RuleMatch::in_words).unwrap_or_default();
        }
        self.action = self.action.max(Some(verdict.action));
        match verdict.action {
            Action::Block => {
                self.stop(Action::Block, Refusal::Rules(Vec::new(), told).telling().status);
                false
            }
            Action::Sanitize | Action::Allow => false,
            // Whether a rate is used up is known of real requests alone.
            Action::Pass | Action::Log | Action::RateLimit => true,
        }
    }

    /// Takes over what was found.
    fn conclude(&mut self, transaction: Transaction<'_>) {
        self.scores = transaction.scores().or(self.scores);
        self.excepted += transaction.take_excepted();
        let traces: Vec<(String, String, Trace)> = transaction
            .traced()
            .map(|traced| {
                let (found, rule) = (traced.found, traced.rule);
                let (value, file) = (found.value.clone(), rule.file.clone());
                let trace = Trace { value, file, line: rule.line, phase: rule.phase as u8 };
                (rule.id.to_string(), found.variable.clone(), trace)
            })
            .collect();
        let found = transaction.into_matches().into_iter().map(|told| {
            let is_its = |(id, variable, _): &&(String, String, Trace)| {
                **id == *told.rule_id && *variable == told.variable
            };
            let trace = traces.iter().find(is_its).map(|(_, _, trace)| trace.clone());
            Found { told, trace }
        });
        let found: Vec<Found> = found.collect();
        self.matches.extend(found);
    }
}
