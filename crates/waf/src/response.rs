//! The answer to a request, on its way through the rules that look at answers: those in SecLang.

use crate::Transaction;
use secbeat_types::Verdict;

/// An answer's head as it came from the backend.
#[derive(Debug, Clone, Copy)]
pub struct ResponseHead<'a> {
    /// The status.
    pub status: u16,
    /// The protocol of the answer: `HTTP/1.1`.
    pub protocol: &'a [u8],
    /// The header fields, name and value, in order.
    pub fields: &'a [(&'a [u8], &'a [u8])],
}

impl Transaction<'_> {
    /// Whether anything looks at the answer to this request.
    pub fn looks_at_answers(&self) -> bool {
        self.seclang.is_some() && !self.is_allowed
    }

    /// Phase 3: the head of the answer, once the request's phases are over.
    pub fn response_head(&mut self, head: &ResponseHead<'_>) -> Verdict {
        self.in_seclang(|run, gate| run.response_head(head, gate))
    }

    /// Whether the body of an answer of this content type is looked at, and up to how many bytes; asked after phase 3. What
    /// is longer is looked at up to there. `None`: it is not, and streams.
    pub fn wants_response_body(&self, content_type: Option<&[u8]>) -> Option<usize> {
        let run = self.seclang.as_ref().filter(|_| !self.is_allowed)?;
        let essence = content_type?.split(|&b| b == b';').next().unwrap_or_default().trim_ascii();
        let is = |known: &str| essence.eq_ignore_ascii_case(known.as_bytes());
        let inspected = match &run.directives().response_mime_types {
            Some(types) => types.iter().any(|known| is(known)),
            // ModSecurity's.
            None => ["text/plain", "text/html"].into_iter().any(is),
        };
        if inspected { run.response_body_limit() } else { None }
    }

    /// Phase 4: the body of the answer, with its content codings undone, or as much of it as is looked at: then `complete`
    /// is false.
    pub fn response_body(&mut self, body: &[u8], complete: bool) -> Verdict {
        self.in_seclang(|run, gate| run.response_body(body, complete, gate))
    }

    /// In place of phase 4: the answer has no body, or one that is not looked at.
    pub fn response_body_not_inspected(&mut self) -> Verdict {
        self.in_seclang(|run, gate| run.no_response_body(gate))
    }

    /// Phase 5, logging: nothing that is found there stops anything. It runs also after a stop, and by itself where this is
    /// not called.
    pub fn finish(&mut self) {
        let _ = self.in_seclang(|run, gate| run.logging(Some(gate)));
    }
}
