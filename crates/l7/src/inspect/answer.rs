//! SecLang rules over the answer: its head, then its body, which is held until it was looked at, where it is of a type that is,
//! and up to a limit. Everything else streams: downloads, event streams, and whatever is longer.

use super::Inspection;
use crate::budget::Held;
use crate::connection::Connection;
use crate::io::End;
use crate::outcome::Stop;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::relay;
use crate::scratch::Input;
use secbeat_http1::{BodyDecoder, BodyState, Framing, Known, ResponseHead};
use secbeat_types::{Reason, Scores, Verdict};
use secbeat_waf::body::compressed::{self, Coding};
use smallvec::SmallVec;
use std::net::IpAddr;
use tokio::net::TcpStream;

/// How the body of an answer is looked at.
pub struct Hold {
    bytes_max: usize,
    codings: Vec<Coding>,
}

impl Inspection<'_> {
    /// What was scored so far, where rules keep scores.
    pub fn scores(&self) -> Option<Scores> {
        self.transaction.scores()
    }

    /// Looks at the head of an answer, which begins `bytes`. `None`: its body is not looked at.
    ///
    /// # Errors
    /// A rule stops the answer.
    pub fn answer_head(&mut self, head: &ResponseHead, bytes: &[u8]) -> Result<Option<Hold>, Stop> {
        if !self.transaction.looks_at_answers() {
            return Ok(None);
        }
        let fields: SmallVec<[(&[u8], &[u8]); 24]> =
            head.fields.iter().map(|field| (field.name.of(bytes), field.value.of(bytes))).collect();
        let answer =
            secbeat_waf::ResponseHead { status: head.status, protocol: b"HTTP/1.1", fields: &fields };
        let verdict = self.transaction.response_head(&answer);
        self.settle_answer(verdict)?;
        let codings = head.fields.iter().filter(|field| field.known == Known::ContentEncoding);
        let codings = Coding::list(codings.map(|field| field.value.of(bytes)));
        let codings = codings.filter(|codings| codings.len() <= self.waf.coding_layers_max);
        let content_type = head.value(bytes, Known::ContentType);
        let has_body = !matches!(head.framing, Framing::None | Framing::Length(0));
        let wanted = self.transaction.wants_response_body(content_type).filter(|_| has_body);
        match wanted.zip(codings) {
            Some((bytes_max, codings)) => Ok(Some(Hold { bytes_max, codings })),
            None => {
                let verdict = self.transaction.response_body_not_inspected();
                self.settle_answer(verdict).map(|()| None)
            }
        }
    }

    /// Reads the body of an answer until its end, or as much of it as is looked at or finds memory, and looks at that. What was
    /// read; the decoder is where the rest begins.
    ///
    /// # Errors
    /// A rule stops the answer; the backend breaks off.
    #[expect(clippy::too_many_arguments, reason = "both ends of an answer, and what stands between them")]
    pub async fn answer_body(
        &mut self,
        connection: &Connection,
        policy: &Policy,
        client_ip: IpAddr,
        hold: &Hold,
        input: &mut Input,
        backend: &End<TcpStream>,
        decoder: &mut BodyDecoder,
    ) -> Result<Held, Stop> {
        let mut held = Held::new(connection.worker.shared.bodies.share(client_ip));
        let (mut is_done, mut has_room) = (false, true);
        while !is_done && has_room && held.bytes.len() <= hold.bytes_max {
            if input.is_empty() {
                connection.registration.deadline_in(policy.timeouts.response_idle_ms);
                is_done = !relay::read_more(connection, input, backend, decoder).await?;
                continue;
            }
            let bytes = input.bytes();
            let step = decoder
                .decode(bytes)
                .map_err(|error| Stop::Broken(format!("the backend's answer: {}: {error}", error.name())))?;
            is_done = step.state == BodyState::Done;
            let data = bytes.get(step.data).unwrap_or_default();
            if held.extend(data).is_err() {
                // The answer is not the client's fault: it goes on after what is there was looked at.
                held.extend_unpaid(data);
                has_room = false;
            }
            input.consume(step.consumed);
        }
        // What came beyond the limit with the last read is not looked at: a verdict does not hang on how bytes came.
        let seen = held.bytes.get(..hold.bytes_max);
        let complete = is_done && held.bytes.len() <= hold.bytes_max;
        if let Some(verdict) = self.verdict_on(hold, seen.unwrap_or(&held.bytes), complete) {
            self.settle_answer(verdict)?;
        }
        Ok(held)
    }

    /// `None`: it is not what its coding says, and whoever reads it will see so.
    fn verdict_on(&mut self, hold: &Hold, bytes: &[u8], complete: bool) -> Option<Verdict> {
        if hold.codings.is_empty() {
            return Some(self.transaction.response_body(bytes, complete));
        }
        let limits = compressed::Limits {
            output_max: hold.bytes_max,
            ratio_max: self.waf.coding_ratio_max,
            layers_max: self.waf.coding_layers_max,
        };
        let decoded = compressed::decode(bytes, &hold.codings, complete, &limits).ok()?;
        Some(self.transaction.response_body(&decoded.bytes, complete && decoded.complete))
    }

    /// Stops the answer where the verdict says so; what is only logged is told at the end.
    fn settle_answer(&mut self, verdict: Verdict) -> Result<(), Stop> {
        let is_stopped = verdict.stops();
        match verdict.reason {
            Reason::Rules(matches) if is_stopped => {
                Err(Refusal::AnswerRules(matches, self.transaction.take_intervention()).into())
            }
            Reason::Rules(matches) => {
                self.seen.extend(matches);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
