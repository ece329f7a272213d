//! The firewall alone: bytes are read as the node reads them, and given to the rules.

use super::Firewall;
use super::check::Seen;
use super::origin::{self, Answer};
use super::setup::Mode;
use secbeat_http1::{BodyDecoder, BodyState, Framing, Known, Limits, Parsed, RequestHead};
use secbeat_types::{RuleMatch, Timestamp, Verdict};
use secbeat_waf::crs::{self, CrsSettings, ResponseSettings};

use secbeat_waf::os_sources::OsSources;
use secbeat_waf::{BodyFollows, Context, Request, ResponseHead, RuleSet, Settings, Transaction};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

/// How much of a body is looked at: what a node does unless it is told otherwise.
const BODY_BYTES_MAX: usize = 128 << 10;

/// The firewall, without sockets.
pub struct InProcess {
    rules: RuleSet,
}

impl InProcess {
    /// Reads and compiles the rules; in blocking mode nothing else than they stops a request either.
    pub fn new(rules: &Path, setup: &Path, mode: Mode) -> Result<Self, String> {
        let crs = CrsSettings {
            path: Some(rules.to_owned()),
            setup: Some(setup.to_owned()),
            ..CrsSettings::default()
        };
        let types = ["text/plain", "text/html", "text/xml"].map(String::from).to_vec();
        let response = ResponseSettings { limit: BODY_BYTES_MAX, types };
        let compiled = crs::compile(Some(&crs), &response, &[], &OsSources);
        let program = compiled.map_err(|errors| listed(&errors))?.program;
        let settings = Settings { monitor: !mode.blocking, ..Settings::default() };
        let rules = RuleSet::compile(&[], &settings).map_err(|error| error.to_string())?;
        Ok(InProcess { rules: rules.with_seclang(Arc::new(program)) })
    }

    /// Reads one request, runs it and the site's answer through the rules.
    fn run(&self, bytes: &[u8]) -> Seen {
        let mut head = RequestHead::new();
        let refusal = match head.parse(bytes, &Limits::default()) {
            Ok(Parsed::Complete) => None,
            // The node would wait for the rest.
            Ok(Parsed::Partial) => return Seen::default(),
            Err(error) => Some(error),
        };
        let mut seen = Seen::default();
        if let Some(error) = refusal {
            seen.status = Some(error.status());
            seen.refusal = Some(error.to_string());
            if !head.is_tokenised() {
                return seen;
            }
        }
        let fields: Vec<(&[u8], &[u8])> =
            head.fields.iter().map(|field| (field.name.of(bytes), field.value.of(bytes))).collect();
        let mut transaction = self.rules.transaction(Context {
            host: head.authority(bytes),
            ..Context::plain(IpAddr::V4(Ipv4Addr::LOCALHOST), Timestamp::now())
        });
        let has_body = refusal.is_none() && !matches!(head.framing, Framing::None | Framing::Length(0));
        let request = Request {
            method: head.method.of(bytes),
            target: head.target.of(bytes),
            fields: &fields,
            protocol: head.protocol(bytes),
            id: "conformance",
            body: if has_body { BodyFollows::Inspected } else { BodyFollows::No },
        };
        let verdict = transaction.request_head(&request);
        if refusal.is_none() {
            seen.status = self.after_head(&mut transaction, &head, bytes, has_body, &verdict);
        }
        transaction.finish();
        // What is audited is told whole; what is only logged, up to a number.
        let audited: Vec<RuleMatch> =
            transaction.audited().into_iter().map(|audited| audited.found).collect();
        for found in audited.iter().chain(&transaction.into_matches()) {
            if !seen.ids.iter().any(|id| **id == *found.rule_id) {
                seen.add(&found.rule_id, &found.name, &found.matched, &found.variable);
            }
        }
        seen
    }

    /// What the client is answered, once the head was looked at; `None`: nothing.
    fn after_head(
        &self,
        transaction: &mut Transaction<'_>,
        head: &RequestHead,
        bytes: &[u8],
        has_body: bool,
        verdict: &Verdict,
    ) -> Option<u16> {
        if verdict.stops() {
            return Some(403);
        }
        let mut body = Vec::new();
        if has_body {
            match read_body(bytes.get(head.len..).unwrap_or_default(), head.framing) {
                Ok(whole) => body = whole,
                Err(status) => return status,
            }
            let content_type = head.value(bytes, Known::ContentType);
            let looked_at = body.get(..body.len().min(BODY_BYTES_MAX)).unwrap_or_default();
            let verdict = match transaction.inspects_body(content_type) {
                Some(kind) => {
                    transaction.request_body(kind, content_type, looked_at, looked_at.len() == body.len())
                }
                None => transaction.body_not_inspected(),
            };
            if verdict.stops() {
                return Some(403);
            }
        }
        let answer = origin::answer(head.path.of(bytes), &body);
        Some(if is_answer_stopped(transaction, &answer) { 403 } else { answer.status })
    }
}

/// Runs the answer through the rules; whether it is stopped.
fn is_answer_stopped(transaction: &mut Transaction<'_>, answer: &Answer) -> bool {
    let length = answer.body.len().to_string();
    let mut fields: Vec<(&[u8], &[u8])> =
        answer.fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    fields.push((b"Content-Length", length.as_bytes()));
    let head = ResponseHead { status: answer.status, protocol: b"HTTP/1.1", fields: &fields };
    if transaction.response_head(&head).stops() {
        return true;
    }
    let content_type = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"content-type"));
    match transaction.wants_response_body(content_type.map(|(_, value)| *value)) {
        Some(limit) => {
            let looked_at = answer.body.get(..answer.body.len().min(limit)).unwrap_or_default();
            transaction.response_body(looked_at, looked_at.len() == answer.body.len()).stops()
        }
        None => false,
    }
}

impl Firewall for InProcess {
    fn send(&mut self, requests: &[Vec<u8>]) -> Result<Vec<Seen>, String> {
        Ok(requests.iter().map(|request| self.run(request)).collect())
    }
}

/// The data of a body. `Err`: the answer to one that is not well-formed; none where it never ends.
fn read_body(mut input: &[u8], framing: Framing) -> Result<Vec<u8>, Option<u16>> {
    let (mut decoder, mut body) = (BodyDecoder::new(framing), Vec::new());
    loop {
        let step = decoder.decode(input).map_err(|error| Some(error.status()))?;
        body.extend_from_slice(input.get(step.data).unwrap_or_default());
        input = input.get(step.consumed..).unwrap_or_default();
        match step.state {
            BodyState::Done => return Ok(body),
            BodyState::More if input.is_empty() => return Err(None),
            BodyState::More => {}
        }
    }
}

fn listed<T: ToString>(errors: &[T]) -> String {
    errors.iter().map(T::to_string).collect::<Vec<_>>().join("\n")
}
