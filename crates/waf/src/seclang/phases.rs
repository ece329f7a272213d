//! Phases of a transaction in which rules in SecLang have their say.

use super::admission::Gate;
use super::run::Run;
use crate::findings::Findings;
use crate::transaction::every_form_of_path;
use crate::{Intervention, Transaction};
use secbeat_types::{Scores, Verdict};

impl<'r> Transaction<'r> {
    /// In place of phase 2: the body that was to be inspected is not.
    pub fn body_not_inspected(&mut self) -> Verdict {
        self.in_seclang(|run, gate| run.no_body(gate))
    }

    /// Runs a phase of the rules in SecLang alone.
    pub(crate) fn in_seclang(&mut self, phase: impl FnOnce(&mut Run<'r>, &Gate<'_>)) -> Verdict {
        if self.is_allowed {
            return Verdict::PASS;
        }
        let mut found = Findings::default();
        self.run_seclang(&mut found, phase);
        self.conclude(found)
    }

    /// Runs a phase of the rules in SecLang, unless those in JSON have settled the matter.
    pub(crate) fn run_seclang(&mut self, found: &mut Findings, phase: impl FnOnce(&mut Run<'r>, &Gate<'_>)) {
        if !found.goes_on() {
            return;
        }
        let Some(run) = &mut self.seclang else { return };
        let (path, paths) = (&self.path, &self.paths);
        let gate = Gate {
            rules: run.rules,
            first: self.set.seclang_first(),
            context: &self.context,
            lookup: &self.lookup,
            paths: &|| paths.get_or_init(|| every_form_of_path(path)),
            excepted: &self.excepted,
        };
        phase(run, &gate);
        run.answered = run.intervention.as_ref().and_then(Intervention::of);
        run.tell(self.set.settings.block_on_budget, found);
    }

    /// How the rule in SecLang that stopped the last phase would have the client answered, once; `None`: another stopped it, or
    /// none.
    pub fn take_intervention(&mut self) -> Option<Intervention> {
        self.seclang.as_mut()?.answered.take()
    }

    /// The anomaly scores of the request, where its rules keep any.
    pub fn scores(&self) -> Option<Scores> {
        self.seclang.as_ref()?.scores()
    }
}
