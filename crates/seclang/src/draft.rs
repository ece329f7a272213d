//! A rule while it is being read.

use crate::{Actions, Disruptive, Link, Phase, Rule, Span, Step, Test, Text};
use secbeat_transform::Transformation;

/// What `SecDefaultAction` says for a phase.
#[derive(Debug, Clone)]
pub(crate) struct Defaults {
    pub transformations: Vec<Transformation>,
    pub disruptive: Disruptive,
    pub status: u16,
    pub log: bool,
    pub audit_log: bool,
}

impl Default for Defaults {
    /// ModSecurity's own: `log,auditlog,pass`.
    fn default() -> Self {
        Self {
            transformations: Vec::new(),
            disruptive: Disruptive::Pass,
            status: 403,
            log: true,
            audit_log: true,
        }
    }
}

/// Actions carried out so far.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub actions: Actions,
    pub transformations: Vec<Transformation>,
    pub msg: Option<Text>,
    pub logdata: Option<Text>,
    pub steps: Vec<Step>,
    pub capture: bool,
    pub multi_match: bool,
    pub chain: bool,
}

impl Draft {
    /// One to which nothing has been done yet.
    pub fn new(id: u64, phase: Phase, defaults: &Defaults) -> Self {
        let actions = Actions {
            id,
            phase,
            msg: None,
            logdata: None,
            tags: Vec::new(),
            severity: None,
            ver: None,
            rev: None,
            maturity: None,
            accuracy: None,
            disruptive: defaults.disruptive.clone(),
            status: defaults.status,
            log: defaults.log,
            audit_log: defaults.audit_log,
            skip: 0,
            skip_after: None,
        };
        Self {
            actions,
            transformations: defaults.transformations.clone(),
            msg: None,
            logdata: None,
            steps: Vec::new(),
            capture: false,
            multi_match: false,
            chain: false,
        }
    }

    /// What a rule has become of, so that more can be done to it: to its head, or to a later link.
    pub fn of(rule: &Rule, link: &Link) -> Self {
        Self {
            actions: rule.actions.clone(),
            transformations: link.test.as_ref().map(|test| test.transformations.clone()).unwrap_or_default(),
            msg: link.msg.clone(),
            logdata: link.logdata.clone(),
            steps: link.steps.clone(),
            capture: link.capture,
            multi_match: link.multi_match,
            chain: false,
        }
    }

    /// What is of the rule as a whole, and what is of this link.
    pub fn finish(mut self, span: Span, test: Option<Test>) -> (Actions, Link) {
        self.actions.msg.clone_from(&self.msg);
        self.actions.logdata.clone_from(&self.logdata);
        if matches!(self.actions.disruptive, Disruptive::Redirect(_))
            && !(301..=308).contains(&self.actions.status)
        {
            self.actions.status = 302;
        }
        let Self { actions, transformations, msg, logdata, steps, capture, multi_match, .. } = self;
        let test = test.map(|test| Test { transformations, ..test });
        (actions, Link { span, test, capture, multi_match, steps, msg, logdata })
    }
}
