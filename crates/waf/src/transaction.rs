//! One request on its way through the rules.

use crate::body::{BodyError, BodyKind, ambiguity, walk_arguments, walk_json, walk_multipart};
use crate::findings::{Findings, excerpt, unreadable};
use crate::request::{self, Variable};
use crate::rule_set::{Class, Compiled};
use crate::{Request, RuleSet, transform};
use secbeat_types::{RuleMatch, Timestamp, Verdict};

/// One request, judged in phases: its head, then its body, where that is inspected. Each phase answers with a verdict
/// about what it found itself; a request that a phase stops goes no further.
#[derive(Debug)]
pub struct Transaction<'r> {
    set: &'r RuleSet,
    now: Timestamp,
    /// The path in every form, where a rule asks for it.
    paths: Vec<Vec<u8>>,
    findings: Findings,
}

impl<'r> Transaction<'r> {
    pub(crate) fn new(set: &'r RuleSet, now: Timestamp) -> Self {
        Transaction { set, now, paths: Vec::new(), findings: Findings::default() }
    }

    /// Phase 1: path, query, cookies and the other headers.
    pub fn request_head(&mut self, request: &Request<'_>) -> Verdict {
        let set = self.set;
        let mut found = Findings::default();
        let (path, query) = request.path_and_query();
        if set.has_paths {
            self.paths = every_form_of_path(path);
        }
        self.look(&set.path, Variable::Path, path, false, &mut found);
        if let Some(query) = query {
            let walked = walk_arguments(query, set.settings.args_max, &mut |name, value| {
                self.look(&set.query, Variable::Query(name), value, true, &mut found);
            });
            if let Err(error) = walked {
                found.add(unreadable(Variable::Query(b""), None, error, set.settings.monitor));
            }
        }
        for (name, value) in request.fields {
            if !name.eq_ignore_ascii_case(b"cookie") {
                self.look(set.header_class(name), Variable::Header(name), value, false, &mut found);
                continue;
            }
            for (name, value) in request::cookies(value) {
                self.look(&set.cookies, Variable::Cookie(name), name, true, &mut found);
                if let Some(value) = value {
                    self.look(&set.cookies, Variable::Cookie(name), value, true, &mut found);
                }
            }
        }
        self.conclude(found)
    }

    /// How a body of this content type is inspected; `None`: it is not, and streams. A body without a type
    /// is inspected as a form.
    pub fn inspects_body(&self, content_type: Option<&[u8]>) -> Option<BodyKind> {
        BodyKind::of(content_type.unwrap_or_default())
    }

    /// Phase 2: the body. `complete` is false where it was cut at the inspection limit: then what is there is judged.
    /// A body that is not what its type says, or whose type a backend may read otherwise, is stopped, and also looked
    /// at as it is.
    pub fn request_body(
        &mut self,
        kind: BodyKind,
        content_type: Option<&[u8]>,
        body: &[u8],
        complete: bool,
    ) -> Verdict {
        let set = self.set;
        let settings = &set.settings;
        let content_type = content_type.unwrap_or_default();
        let mut found = Findings::default();
        let plus = kind == BodyKind::Urlencoded;
        let mut sink = |name: &[u8], value: &[u8]| {
            self.look(&set.body, Variable::Body(name), value, plus, &mut found);
        };
        let walked = match kind {
            BodyKind::Urlencoded => walk_arguments(body, settings.args_max, &mut sink),
            BodyKind::Json => {
                walk_json(body, complete, settings.json_depth_max, settings.json_values_max, &mut sink)
            }
            BodyKind::Multipart => {
                walk_multipart(content_type, body, complete, settings.parts_max, &mut sink)
            }
        };
        let ambiguity = ambiguity(content_type).map(|expected| BodyError::Malformed { expected, offset: 0 });
        if let Some(error) = ambiguity.or(walked.err()) {
            self.look(&set.body, Variable::Body(b""), body, plus, &mut found);
            found.add(unreadable(Variable::Body(b""), Some(kind), error, settings.monitor));
        }
        self.conclude(found)
    }

    /// Every match of every phase, the one that settles the action first.
    pub fn into_matches(self) -> Vec<RuleMatch> {
        self.findings.into_matches()
    }

    fn conclude(&mut self, found: Findings) -> Verdict {
        let verdict = found.verdict();
        self.findings.append(found);
        verdict
    }

    /// Looks at one value: as it is, and in each form that the rules of its class lead to.
    fn look(&self, class: &Class, variable: Variable<'_>, raw: &[u8], plus: bool, found: &mut Findings) {
        if class.rules.is_empty() || found.is_settled() {
            return;
        }
        self.look_at_form(class, variable, raw, u64::MAX, found);
        for form in transform::forms(raw, plus, &self.set.chains, class.chains) {
            self.look_at_form(class, variable, &form.bytes, form.chains, found);
        }
    }

    /// Tries each rule of the class whose chain is among `chains`.
    fn look_at_form(
        &self,
        class: &Class,
        variable: Variable<'_>,
        value: &[u8],
        chains: u64,
        found: &mut Findings,
    ) {
        if !class.may_match(value) {
            return;
        }
        for &index in &class.rules {
            let (Some(rule), Some(compiled)) = (self.set.rules().get(index), self.set.compiled.get(index))
            else {
                continue;
            };
            if compiled.chain & chains == 0 || !rule.is_in_force(self.now) || !self.is_in_scope(compiled) {
                continue;
            }
            if let Some(hit) = compiled.pattern.find(value) {
                found.add(RuleMatch {
                    rule_id: compiled.id.clone(),
                    name: compiled.name.clone(),
                    category: rule.category,
                    severity: rule.severity,
                    action: compiled.action,
                    variable: variable.to_string(),
                    matched: excerpt(hit.as_bytes()),
                });
            }
        }
    }

    /// Whether the rule is for this request's path, in any of its forms.
    fn is_in_scope(&self, compiled: &Compiled) -> bool {
        compiled.paths.as_ref().is_none_or(|paths| self.paths.iter().any(|path| paths.is_match(path)))
    }
}

/// The path as it came, decoded and resolved, so that no spelling of it escapes a rule for certain paths.
fn every_form_of_path(path: &[u8]) -> Vec<Vec<u8>> {
    let chain = vec![transform::Transform::UrlDecode, transform::Transform::NormalizePath];
    let forms = transform::forms(path, false, &[chain], 1);
    std::iter::once(path.to_vec()).chain(forms.into_iter().map(|form| form.bytes)).collect()
}

#[cfg(test)]
#[path = "transaction_tests.rs"]
mod tests;
