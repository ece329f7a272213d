//! Rules set and deleted by the API.

use super::{Control, State};
use crate::prepare::CompileError;
use crate::rules::Overlay;
use secbeat_types::{Event, EventKind};
use secbeat_waf::Rule;
use serde::Serialize;

/// What came of a change of rules.
#[derive(Serialize)]
pub struct RulesChanged {
    status: &'static str,
    generation: u64,
    rules: usize,
    /// Whether it survives a restart: the disk may be full.
    pub durable: bool,
}

impl Control {
    /// Sets rules by id, or all of them where `replace`.
    ///
    /// # Errors
    /// The first rule that is wrong; nothing has changed.
    pub fn set_rules(
        &self,
        rules: Vec<Rule>,
        replace: bool,
        actor: &str,
    ) -> Result<RulesChanged, CompileError> {
        let mut state = self.state();
        let mut overlay = state.kept.rules.clone();
        if replace {
            overlay.replace(rules)
        } else {
            overlay.upsert(rules)
        }
        self.put_overlay(&mut state, overlay, actor)
    }

    /// Deletes a rule of any file or of the API. `None`: there is no such rule.
    ///
    /// # Errors
    /// The rules that are left do not compile, or a site names the rule; nothing has changed.
    pub fn delete_rule(&self, id: &str, actor: &str) -> Option<Result<RulesChanged, CompileError>> {
        let mut state = self.state();
        let mut overlay = state.kept.rules.clone();
        let is_there = overlay.delete(id, state.prepared.file_rules());
        is_there.then(|| self.put_overlay(&mut state, overlay, actor))
    }

    fn put_overlay(
        &self,
        state: &mut State,
        overlay: Overlay,
        actor: &str,
    ) -> Result<RulesChanged, CompileError> {
        state.prepared = state.prepared.under(&state.settings, &overlay)?;
        let saved = state.kept.put_rules(overlay);
        self.put_in_force(state);
        let in_force = state.prepared.rules.rules().len();
        let reason = match &saved {
            Ok(()) => format!("generation {}: {in_force} rules in force", state.generation),
            Err(error) => format!("generation {}: in force, but not on the disk: {error}", state.generation),
        };
        self.shared.tell(Event {
            actor: Some(actor.to_owned()),
            ..Event::new(EventKind::Policy, "mitigation-node", "rules_changed", reason)
        });
        Ok(RulesChanged {
            status: "applied",
            generation: state.generation,
            rules: in_force,
            durable: saved.is_ok(),
        })
    }
}
