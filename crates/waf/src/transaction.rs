//! One request on its way through the rules.

use crate::body::compressed::CompressionError;
use crate::body::{self, BodyError, BodyKind, Piece, Spot, Text};
use crate::exception_lookup::{Asked, Circumstances, Lookup};
use crate::findings::{self, Findings, SYNTHETIC_IDS};
use crate::look::Value;
use crate::request::{self, Variable};
use crate::rule_set::Compiled;
use crate::sanitize::{Edit, Place};
use crate::seclang::run::Run;
use crate::{BodyFollows, Context, Request, RuleSet, transform};
use secbeat_types::{Action, RuleMatch, Verdict};
use std::cell::{Cell, OnceCell};

/// One request, judged in phases: its head, then its body, where that is inspected. Each phase answers with a verdict
/// about what it found itself; a request that a phase stops goes no further. After a verdict to sanitize,
/// [`edits`](Self::edits) says what to change; the phase is then run again over what was changed.
pub struct Transaction<'r> {
    pub(crate) set: &'r RuleSet,
    pub(crate) context: Context<'r>,
    /// The path as it came, where anything asks for it.
    pub(crate) path: Vec<u8>,
    /// The path in every form, once something asked.
    pub(crate) paths: OnceCell<Vec<Vec<u8>>>,
    findings: Findings,
    edits: Vec<Edit>,
    /// What exceptions have said.
    pub(crate) lookup: Lookup,
    /// Whether a rule allowed it: then nothing more is looked at.
    pub(crate) is_allowed: bool,
    /// The request in the rules in SecLang, once its head was looked at.
    pub(crate) seclang: Option<Run<'r>>,
    /// Matches that an exception kept from counting.
    pub(crate) excepted: Cell<u32>,
}

impl<'r> Transaction<'r> {
    pub(crate) fn new(set: &'r RuleSet, context: Context<'r>) -> Self {
        Transaction {
            set,
            context,
            path: Vec::new(),
            paths: OnceCell::new(),
            findings: Findings::default(),
            edits: Vec::new(),
            lookup: Lookup::default(),
            is_allowed: false,
            seclang: None,
            excepted: Cell::new(0),
        }
    }

    /// Phase 1: where it comes from, path, query, cookies and the other headers.
    pub fn request_head(&mut self, request: &Request<'_>) -> Verdict {
        let set = self.set;
        let mut found = Findings::default();
        let (path, query) = request.path_and_query();
        self.keep_path(path);
        if let Some(csrf) = self.context.csrf
            && let Some(forged) = csrf.find(request, self.context.host)
            && (csrf.exempt.is_empty() || !self.paths().iter().all(|path| csrf.exempt.is_match(path)))
        {
            let finding = findings::forged(forged);
            let action = if csrf.monitor { Action::Log } else { finding.action };
            self.admit_synthetic(RuleMatch { action, ..finding }, &mut found);
        }
        self.look(
            &set.path,
            &Value { variable: Variable::Path, raw: path, plus: false, spot: None },
            &mut found,
        );
        if let Some(query) = query {
            // The query is the end of the target.
            let before = request.target.len() - query.len();
            let walked = body::walk_arguments(query, set.settings.args_max, &mut |piece| {
                let spot = piece.spot.map(|spot| (Place::Target, spot.moved_by(before)));
                let variable = Variable::Query(piece.name);
                self.look(&set.query, &Value { variable, raw: piece.value, plus: true, spot }, &mut found);
            });
            if let Err(error) = walked {
                // What was not taken apart is looked at as it is, should this finding not count.
                let whole = Value { variable: Variable::Query(b""), raw: query, plus: true, spot: None };
                self.look(&set.query, &whole, &mut found);
                self.admit_synthetic(findings::unreadable(whole.variable, None, error), &mut found);
            }
        }
        for (index, &(name, value)) in request.fields.iter().enumerate() {
            if name.eq_ignore_ascii_case(b"cookie") {
                self.look_at_cookies(index, value, &mut found);
                continue;
            }
            let spot = Some((Place::Field(index), Spot { range: 0..value.len(), text: Text::Field }));
            let value = Value { variable: Variable::Header(name), raw: value, plus: false, spot };
            self.look(set.header_class(name), &value, &mut found);
        }
        if let Some(rules) = set.seclang.as_ref().filter(|_| found.goes_on()) {
            self.seclang = Some(Run::new(rules, &self.context, &set.settings, request.id));
            self.run_seclang(&mut found, |run, gate| {
                run.head(request, gate);
                if request.body != BodyFollows::Inspected {
                    run.no_body(gate);
                }
            });
        }
        self.conclude(found)
    }

    fn look_at_cookies(&self, index: usize, field: &[u8], found: &mut Findings) {
        for (name, value) in request::cookies(field) {
            let variable = Variable::Cookie(name);
            self.look(&self.set.cookies, &Value { variable, raw: name, plus: true, spot: None }, found);
            let Some(value) = value else { continue };
            // `value` is a part of `field`.
            let start = (value.as_ptr() as usize).saturating_sub(field.as_ptr() as usize);
            let spot = Spot { range: start..start + value.len(), text: Text::Cookie };
            let spot = Some((Place::Field(index), spot));
            self.look(&self.set.cookies, &Value { variable, raw: value, plus: true, spot }, found);
        }
    }

    /// How a body of this content type is inspected; `None`: it is not, and streams, and
    /// [`body_not_inspected`](Self::body_not_inspected) is to be called. A body without a type is inspected as a form, and
    /// with rules in SecLang that look at bodies any other type is too.
    pub fn inspects_body(&self, content_type: Option<&[u8]>) -> Option<BodyKind> {
        if self.is_allowed {
            return None;
        }
        let wanted = self.seclang.as_ref().is_some_and(Run::wants_body);
        BodyKind::of(content_type.unwrap_or_default()).or(wanted.then_some(BodyKind::Other))
    }

    /// Phase 2: the body, with its content codings undone. `complete` is false where it was cut at the inspection limit:
    /// then what is there is judged. A body that is not what its type says, or whose type a backend may read otherwise,
    /// is stopped, and also looked at as it is.
    pub fn request_body(
        &mut self,
        kind: BodyKind,
        content_type: Option<&[u8]>,
        body: &[u8],
        complete: bool,
    ) -> Verdict {
        if self.is_allowed {
            return Verdict::PASS;
        }
        let set = self.set;
        let (depth_max, values_max) = (set.settings.json_depth_max, set.settings.json_values_max);
        let content_type = content_type.unwrap_or_default();
        let mut found = Findings::default();
        let plus = kind == BodyKind::Urlencoded;
        let mut sink = |Piece { name, value, spot }: Piece<'_>| {
            let spot = spot.map(|spot| (Place::Body, spot));
            self.look(
                &set.body,
                &Value { variable: Variable::Body(name), raw: value, plus, spot },
                &mut found,
            );
        };
        let walked = match kind {
            BodyKind::Urlencoded => body::walk_arguments(body, set.settings.args_max, &mut sink),
            BodyKind::Json => body::walk_json(body, complete, depth_max, values_max, &mut sink),
            BodyKind::Xml => body::walk_xml(body, complete, depth_max, values_max, &mut sink),
            BodyKind::Multipart => {
                body::walk_multipart(content_type, body, complete, set.settings.parts_max, &mut sink)
            }
            BodyKind::Other => Ok(()),
        };
        let is_read = kind != BodyKind::Other;
        let ambiguity = body::ambiguity(content_type).filter(|_| is_read);
        let ambiguity = ambiguity.map(|expected| BodyError::Malformed { expected, offset: 0 });
        let error = ambiguity.or(walked.err());
        if let Some(error) = error {
            let whole = Value { variable: Variable::Body(b""), raw: body, plus, spot: None };
            self.look(&set.body, &whole, &mut found);
            self.admit_synthetic(findings::unreadable(whole.variable, Some(kind), error), &mut found);
        }
        if error.is_some() || !complete {
            found.refuse_edits();
        }
        self.run_seclang(&mut found, |run, gate| run.body(content_type, body, complete, gate));
        self.conclude(found)
    }

    /// In place of phase 2: the body could not be decoded.
    pub fn body_not_decoded(&mut self, error: CompressionError) -> Verdict {
        if self.is_allowed {
            return Verdict::PASS;
        }
        let mut found = Findings::default();
        self.admit_synthetic(findings::undecodable(error), &mut found);
        self.run_seclang(&mut found, |run, gate| run.unreadable_body(&error.to_string(), gate));
        self.conclude(found)
    }

    /// How many matches exceptions have kept from counting since this was last asked.
    pub fn take_excepted(&self) -> u32 {
        self.excepted.take()
    }

    /// What is to be changed in the request, after a phase whose verdict was [`Action::Sanitize`]; otherwise nothing.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// Every match of every phase, the one that settles the action first.
    pub fn into_matches(self) -> Vec<RuleMatch> {
        self.findings.into_matches()
    }

    pub(crate) fn conclude(&mut self, mut found: Findings) -> Verdict {
        let verdict = found.verdict();
        let edits = found.take_edits();
        self.edits = if verdict.action == Action::Sanitize { edits } else { Vec::new() };
        self.is_allowed = verdict.action == Action::Allow;
        self.findings.append(found);
        verdict
    }

    /// Adds a match, unless its rule is off for the site or an exception is for it. What it does.
    pub(crate) fn admit(&self, found: RuleMatch, rule: usize, findings: &mut Findings) -> Option<Action> {
        let Context { client, host, now, scope, exceptions, .. } = self.context;
        if scope.is_disabled(rule) {
            return None;
        }
        let is_stopping = !matches!(found.action, Action::Allow | Action::Log);
        let action = if scope.monitor && is_stopping { Action::Log } else { found.action };
        // Exceptions were asked for it before.
        if findings.knows(&found) {
            return Some(action);
        }
        // It would change nothing, unless it is to be taken out.
        if action != Action::Sanitize && findings.is_full_for(action) {
            return None;
        }
        let circumstances = Circumstances { client, host, now, paths: &|| self.paths() };
        let newly = || self.excepted.set(self.excepted.get() + 1);
        let names = std::slice::from_ref(&found.variable);
        let asked = Asked { rule, id: &found.rule_id, category: found.category, names };
        if self.lookup.excepts(exceptions, &asked, &circumstances, newly) {
            return None;
        }
        findings.add(RuleMatch { action, ..found });
        Some(action)
    }

    /// Adds a match of a rule of the program's own.
    fn admit_synthetic(&self, found: RuleMatch, findings: &mut Findings) {
        let place = SYNTHETIC_IDS.iter().position(|id| *id == &*found.rule_id).unwrap_or(SYNTHETIC_IDS.len());
        let action = if self.set.settings.monitor { Action::Log } else { found.action };
        self.admit(RuleMatch { action, ..found }, self.set.compiled.len() + place, findings);
    }

    /// Whether the rule is for this request's path, in any of its forms.
    pub(crate) fn is_in_scope(&self, compiled: &Compiled) -> bool {
        compiled.paths.is_empty() || self.paths().iter().any(|path| compiled.paths.is_match(path))
    }

    /// Keeps the path for whoever asks for it later.
    fn keep_path(&mut self, path: &[u8]) {
        let csrf_asks = self.context.csrf.is_some_and(|csrf| !csrf.exempt.is_empty());
        let is_asked = self.set.has_paths || self.context.exceptions.has_paths() || csrf_asks;
        let path = if is_asked { path } else { b"" };
        if self.path != path {
            self.path = path.to_vec();
            (self.paths, self.lookup) = (OnceCell::new(), Lookup::default());
        }
    }

    fn paths(&self) -> &[Vec<u8>] {
        self.paths.get_or_init(|| every_form_of_path(&self.path))
    }
}

/// The path as it came, decoded and resolved, so that no spelling of it escapes a rule for certain paths.
pub fn every_form_of_path(path: &[u8]) -> Vec<Vec<u8>> {
    let chain = vec![transform::Transform::UrlDecode, transform::Transform::NormalizePath];
    let forms = transform::forms(path, false, &[chain], 1);
    std::iter::once(path.to_vec()).chain(forms.into_iter().map(|form| form.bytes)).collect()
}

#[cfg(test)]
#[path = "transaction_tests.rs"]
mod tests;
