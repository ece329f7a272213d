//! Exceptions set and deleted by the API.

use super::{Control, State};
use secbeat_types::{Event, EventKind, Timestamp};
use secbeat_waf::rule_error::Subject;
use secbeat_waf::{Exception, ExceptionSet, RuleError};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;

/// The most exceptions that a node holds.
pub const EXCEPTIONS_MAX: usize = 65_536;

/// What came of a change of exceptions.
#[derive(Serialize)]
pub struct ExceptionsChanged {
    status: &'static str,
    generation: u64,
    exceptions: usize,
    ids: Vec<String>,
    /// Whether it survives a restart: the disk may be full.
    pub durable: bool,
}

impl Control {
    /// Sets exceptions by id; those that have run out at `now` go.
    ///
    /// # Errors
    /// The first exception that is wrong, or that there would be too many; nothing has changed.
    pub fn set_exceptions(
        &self,
        new: Vec<Exception>,
        now: Timestamp,
    ) -> Result<ExceptionsChanged, RuleError> {
        let mut state = self.state();
        let ids = new.iter().map(|exception| exception.id.clone()).collect();
        let mut exceptions: Vec<Exception> =
            state.kept.exceptions.iter().filter(|known| known.is_in_force(now)).cloned().collect();
        let mut places: HashMap<String, usize> =
            exceptions.iter().enumerate().map(|(at, known)| (known.id.clone(), at)).collect();
        for mut exception in new {
            exception.created_at = Some(now);
            match places.get(&exception.id).and_then(|at| exceptions.get_mut(*at)) {
                Some(known) => *known = exception,
                None => {
                    places.insert(exception.id.clone(), exceptions.len());
                    exceptions.push(exception);
                }
            }
        }
        if exceptions.len() > EXCEPTIONS_MAX {
            let message = format!(
                "there would be more than {EXCEPTIONS_MAX} exceptions; delete some, or name patterns"
            );
            return Err(RuleError { subject: Subject::Exception, message, ..RuleError::default() });
        }
        self.put_exceptions(&mut state, exceptions, ids)
    }

    /// Deletes an exception. `None`: there is no such exception.
    ///
    /// # Errors
    /// The exceptions that are left do not compile; nothing has changed.
    pub fn delete_exception(&self, id: &str) -> Option<Result<ExceptionsChanged, RuleError>> {
        let mut state = self.state();
        let mut exceptions = state.kept.exceptions.clone();
        let before = exceptions.len();
        exceptions.retain(|exception| exception.id != id);
        (exceptions.len() < before).then(|| self.put_exceptions(&mut state, exceptions, vec![id.to_owned()]))
    }

    fn put_exceptions(
        &self,
        state: &mut State,
        exceptions: Vec<Exception>,
        ids: Vec<String>,
    ) -> Result<ExceptionsChanged, RuleError> {
        let set = ExceptionSet::compile(exceptions.clone())?.counting_on(&state.prepared.exceptions);
        state.prepared.exceptions = Arc::new(set);
        let saved = state.kept.put_exceptions(exceptions);
        self.put_in_force(state);
        let in_force = state.prepared.exceptions.len();
        let reason = match &saved {
            Ok(()) => format!("generation {}: {in_force} exceptions in force", state.generation),
            Err(error) => format!("generation {}: in force, but not on the disk: {error}", state.generation),
        };
        self.shared.tell(Event::new(EventKind::Policy, "mitigation-node", "exceptions_changed", reason));
        Ok(ExceptionsChanged {
            status: "applied",
            generation: state.generation,
            exceptions: in_force,
            ids,
            durable: saved.is_ok(),
        })
    }
}
