//! The plain way through a phase: every rule in file order.

use crate::evaluate::{Evaluator, Next};
use crate::facts::Admission;
use crate::intervention::{Intervention, Kind};
use crate::transaction::Transaction;
use secbeat_seclang::{EngineMode, Phase};

/// The status where the budget is used up and the operator says no other.
const BUDGET_STATUS: u16 = 403;

impl Transaction<'_> {
    /// Runs a phase.
    pub(crate) fn phase(&mut self, phase: Phase, admission: Option<&dyn Admission>) -> Option<Intervention> {
        if self.settings.engine == EngineMode::Off {
            return None;
        }
        if phase != Phase::Logging {
            if self.stopped.is_some() {
                return self.stopped.clone();
            }
            if self.allowed.take_if(|last| *last < phase).is_none() && self.allowed.is_some() {
                return None;
            }
        }
        let before = self.stopped.clone();
        if self.facts.plain {
            self.walk(phase, admission)
        } else {
            self.walk_fast(phase, admission)
        }
        // Logging stops nothing.
        if phase == Phase::Logging {
            self.stopped = before;
            return None;
        }
        self.stopped.clone()
    }

    /// Runs every rule of a phase in file order.
    fn walk(&mut self, phase: Phase, admission: Option<&dyn Admission>) {
        let program = self.program;
        let mut evaluator = Evaluator { t: self, admission };
        let mut from = 0;
        for &number in program.phase(phase) {
            if number < from || evaluator.t.memory.removed.contains(number as u16) {
                continue;
            }
            match evaluator.rule(number) {
                Next::Rule => {}
                Next::GoOn(number) => from = number,
                Next::Phase => return,
            }
            if evaluator.t.goes_on(phase).is_none() {
                return;
            }
        }
    }

    /// Whether there is anything left to do in this phase after a rule.
    pub(crate) fn goes_on(&mut self, phase: Phase) -> Option<()> {
        if self.spent > self.facts.budget {
            if phase != Phase::Logging {
                let kind = Kind::Budget;
                self.stopped.get_or_insert(Intervention { rule: None, kind, status: BUDGET_STATUS });
            }
            return None;
        }
        (self.settings.engine != EngineMode::Off).then_some(())
    }
}
