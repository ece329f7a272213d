//! One request on its way through the SecLang rules, phase by phase.

use super::arguments::arguments;
use super::attached::Attached;
use super::head::{HeadLimits, head};
use super::processor::Processor;
use super::{content, multipart, pool};
use crate::body::BodyError;
use crate::{Context, Request, ResponseHead, Settings};
use secbeat_engine::{Admission, Effective, Facts, Intervention, Match, Transaction};
use secbeat_seclang::{Directives, EngineMode, Phase, Variable};

/// A request and its answer in the engine. What it holds outlives neither: dropped, it runs the phase of logging, and the
/// engine's memory goes back to the thread. Of one that is dropped because something panicked, nothing is used again.
pub struct Run<'r> {
    pub(crate) rules: &'r Attached,
    engine: Option<Transaction<'r>>,
    settings: &'r Settings,
    processor: Option<Processor>,
    /// The last phase that ran.
    phase: Option<Phase>,
    /// What stopped it, since this was last asked.
    pub(super) intervention: Option<Intervention>,
    /// How the client is to be answered for it.
    pub(super) answered: Option<crate::Intervention>,
    /// How many matches have been told.
    pub(super) told: usize,
}

impl<'r> Run<'r> {
    /// Begins, with nothing but who asks.
    pub fn new(rules: &'r Attached, context: &Context<'r>, settings: &'r Settings, id: &str) -> Run<'r> {
        let facts = Facts {
            client: context.client.to_canonical(),
            client_port: context.client_port,
            server: context.server.map_or(Facts::default().server, |server| server.ip()),
            server_port: context.server.map_or(0, |server| server.port()),
            now_ms: u64::try_from(context.now.unix_ms()).unwrap_or(0),
            seed: fnv(id.as_bytes()),
            collections: context.collections,
            budget: settings.work_budget,
            ..Facts::default()
        };
        let mut engine = rules.program.transaction(pool::borrow(), facts);
        if context.scope.is_monitor() || settings.monitor {
            engine.set_engine(EngineMode::DetectionOnly);
        }
        Run {
            rules,
            engine: Some(engine),
            settings,
            processor: None,
            phase: None,
            intervention: None,
            answered: None,
            told: 0,
        }
    }

    /// Phase 1.
    pub fn head(&mut self, request: &Request<'_>, admission: &dyn Admission) {
        let limits = self.head_limits();
        let Some(engine) = &mut self.engine else { return };
        self.processor = head(request, &limits, engine);
        self.run(Phase::RequestHeaders, admission);
    }

    /// Whether the request's body is wanted; asked after phase 1.
    pub fn wants_body(&self) -> bool {
        let is_next = self.phase == Some(Phase::RequestHeaders);
        is_next && self.effective().is_some_and(|settings| settings.request_body_access)
    }

    /// Phase 2 of a request without a body, or with one that is not looked at.
    pub fn no_body(&mut self, admission: &dyn Admission) {
        self.run(Phase::RequestBody, admission);
    }

    /// Phase 2 of a request whose body could not be read.
    pub fn unreadable_body(&mut self, why: &str, admission: &dyn Admission) {
        self.blame_body(why);
        self.run(Phase::RequestBody, admission);
    }

    /// Phase 2.
    pub fn body(&mut self, content_type: &[u8], body: &[u8], complete: bool, admission: &dyn Admission) {
        if !self.wants_body() {
            return self.run(Phase::RequestBody, admission);
        }
        let Some(settings) = self.effective() else { return };
        let chosen = settings.request_body_processor.clone();
        let named = chosen.as_deref().map(|name| Processor::of_name(name).ok_or(name));
        let is_forced = settings.force_request_body;
        let processor = match named {
            Some(Err(name)) => {
                self.blame_body(&format!("Unknown request body processor: {name}"));
                None
            }
            Some(Ok(processor)) => Some(processor),
            None => self.processor,
        };
        let separator = self.head_limits().separator;
        let arguments_max = self.head_limits().args_max;
        let Some(engine) = &mut self.engine else { return };
        engine.set(Variable::RequestBodyLength, body.len().to_string().as_bytes());
        engine.set(Variable::InboundDataError, if complete { b"0" } else { b"1" });
        if processor == Some(Processor::Urlencoded) || is_forced {
            engine.set(Variable::RequestBody, body);
        }
        let read = match processor {
            None => Ok(()),
            Some(Processor::Urlencoded) => {
                let mut sink = |name: &[u8], value: &[u8]| engine.add(Variable::ArgsPost, name, value);
                let read = arguments(body, separator, arguments_max, &mut sink);
                if read.has_bad_encoding {
                    engine.set(Variable::UrlencodedError, b"1");
                }
                if read.is_cut { Err(BodyError::TooManyArguments.to_string()) } else { Ok(()) }
            }
            Some(Processor::Multipart) => {
                let read =
                    multipart::multipart(content_type, body, complete, self.settings.parts_max, engine);
                read.map_err(|expected| format!("expected {expected}"))
            }
            Some(Processor::Json) => {
                content::json(body, complete, self.settings, engine).map_err(|error| error.to_string())
            }
            Some(Processor::Xml) => {
                content::xml(body, complete, self.settings, engine).map_err(|error| error.to_string())
            }
        };
        if let (Err(error), Some(processor)) = (read, processor) {
            self.blame_body(&format!("{} parsing error: {error}", processor.name()));
        }
        self.run(Phase::RequestBody, admission);
    }

    /// Phase 3.
    pub fn response_head(&mut self, head: &ResponseHead<'_>, admission: &dyn Admission) {
        let Some(engine) = &mut self.engine else { return };
        let status = head.status.to_string();
        engine.set(Variable::ResponseStatus, status.as_bytes());
        engine.set(Variable::ResponseProtocol, head.protocol);
        engine.set(Variable::StatusLine, &[head.protocol, b" ", status.as_bytes()].concat());
        for &(name, value) in head.fields {
            engine.add(Variable::ResponseHeaders, name, value);
            if name.eq_ignore_ascii_case(b"content-type") {
                engine.set(Variable::ResponseContentType, value);
            } else if name.eq_ignore_ascii_case(b"content-length") {
                engine.set(Variable::ResponseContentLength, value);
            }
        }
        self.run(Phase::ResponseHeaders, admission);
    }

    /// Whether rules look at bodies of answers, and up to how many bytes.
    pub fn response_body_limit(&self) -> Option<usize> {
        let settings = self.effective().filter(|settings| settings.response_body_access)?;
        let limit = settings.response_body_limit.unwrap_or(RESPONSE_BODY_LIMIT);
        Some(usize::try_from(limit).unwrap_or(usize::MAX)).filter(|limit| *limit > 0)
    }

    /// Phase 4 of an answer without a body, or with one that is not looked at.
    pub fn no_response_body(&mut self, admission: &dyn Admission) {
        self.run(Phase::ResponseBody, admission);
    }

    /// Phase 4.
    pub fn response_body(&mut self, body: &[u8], complete: bool, admission: &dyn Admission) {
        let Some(engine) = &mut self.engine else { return };
        engine.set(Variable::ResponseBody, body);
        engine.set(Variable::ResponseContentLength, body.len().to_string().as_bytes());
        engine.set(Variable::OutboundDataError, if complete { b"0" } else { b"1" });
        self.run(Phase::ResponseBody, admission);
    }

    /// Phase 5.
    pub fn logging(&mut self, admission: Option<&dyn Admission>) {
        if self.phase.is_none_or(|last| last < Phase::Logging)
            && let Some(engine) = &mut self.engine
        {
            self.phase = Some(Phase::Logging);
            let program = &self.rules.program;
            pool::with_caches(program, |caches| engine.run_lent(caches, Phase::Logging, admission));
        }
    }

    /// What rules said so far.
    pub fn matches(&self) -> &[Match] {
        self.engine.as_ref().map(Transaction::matches).unwrap_or_default()
    }

    /// A variable of TX as a number.
    pub fn tx(&self, name: &str) -> Option<i64> {
        self.engine.as_ref()?.tx_number(name)
    }

    /// What holds for this request, `ctl` heeded.
    pub fn effective(&self) -> Option<&Effective> {
        self.engine.as_ref().map(Transaction::settings)
    }

    /// What the directives say.
    pub fn directives(&self) -> &'r Directives {
        self.rules.program.directives()
    }

    fn head_limits(&self) -> HeadLimits {
        let directives = self.directives();
        let said = directives.arguments_max.map_or(usize::MAX, |max| max as usize);
        HeadLimits {
            separator: directives.argument_separator.unwrap_or(b'&'),
            args_max: self.settings.args_max.min(said),
        }
    }

    fn blame_body(&mut self, message: &str) {
        let Some(engine) = &mut self.engine else { return };
        for (flag, text) in [
            (Variable::ReqbodyError, Variable::ReqbodyErrorMsg),
            (Variable::ReqbodyProcessorError, Variable::ReqbodyProcessorErrorMsg),
        ] {
            engine.set(flag, b"1");
            engine.set(text, message.as_bytes());
        }
    }

    /// Runs a phase that has not been run, unless the request was stopped.
    fn run(&mut self, phase: Phase, admission: &dyn Admission) {
        if self.phase.is_none_or(|last| last < phase)
            && let Some(engine) = &mut self.engine
        {
            self.phase = Some(phase);
            let program = &self.rules.program;
            self.intervention =
                pool::with_caches(program, |caches| engine.run_lent(caches, phase, Some(admission)));
            // Nothing is left but logging, also where the operator lets a request go on whose budget is used up.
            if self.intervention.is_some() {
                self.phase = Some(Phase::ResponseBody);
            }
        }
    }
}

/// `SecResponseBodyLimit` where nothing is said: ModSecurity's.
const RESPONSE_BODY_LIMIT: u64 = 512 * 1024;

impl Drop for Run<'_> {
    fn drop(&mut self) {
        // In what state a phase left its memory is not known, and caches that it was lent may be with it.
        if std::thread::panicking() {
            return;
        }
        self.logging(None);
        if let Some(engine) = self.engine.take() {
            pool::give_back(engine.finish());
        }
    }
}

/// FNV-1a, 64 bits.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
