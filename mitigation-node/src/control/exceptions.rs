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
/// Of the exceptions that have run out together, so many are told by name.
const IDS_TOLD: usize = 10;

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
    /// The first exception that is wrong or has run out already, or that there would be too many; nothing has changed.
    pub fn set_exceptions(
        &self,
        new: Vec<Exception>,
        now: Timestamp,
        actor: &str,
    ) -> Result<ExceptionsChanged, RuleError> {
        if let Some((index, over)) = new.iter().enumerate().find(|(_, new)| !new.is_in_force(now)) {
            return Err(RuleError {
                subject: Subject::Exception,
                id: Some(over.id.clone()),
                index: Some(index),
                key: Some("expires_at".into()),
                message: format!("expected a time after now, which is {now}"),
                ..RuleError::default()
            });
        }
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
        self.put_exceptions(&mut state, exceptions, ids, changed_by(actor))
    }

    /// Deletes an exception. `None`: there is no such exception.
    ///
    /// # Errors
    /// The exceptions that are left do not compile; nothing has changed.
    pub fn delete_exception(&self, id: &str, actor: &str) -> Option<Result<ExceptionsChanged, RuleError>> {
        let mut state = self.state();
        let mut exceptions = state.kept.exceptions.clone();
        let before = exceptions.len();
        exceptions.retain(|exception| exception.id != id);
        let is_there = exceptions.len() < before;
        is_there.then(|| self.put_exceptions(&mut state, exceptions, vec![id.to_owned()], changed_by(actor)))
    }

    /// Lets go of exceptions that have run out at `now`. To be called each second; gives way to a change that is under way.
    pub fn prune_exceptions(&self, now: Timestamp) {
        let Some(mut state) = self.try_state() else { return };
        if state.kept.exceptions.iter().all(|exception| exception.is_in_force(now)) {
            return;
        }
        let (left, over): (Vec<Exception>, Vec<Exception>) =
            state.kept.exceptions.iter().cloned().partition(|exception| exception.is_in_force(now));
        let ids: Vec<String> = over.into_iter().map(|exception| exception.id).collect();
        let event = Event::new(EventKind::Policy, "mitigation-node", "exceptions_expired", summary(&ids));
        // A part of what compiled before compiles.
        let _ = self.put_exceptions(&mut state, left, ids, event);
    }

    /// `told` is told with what came of it.
    fn put_exceptions(
        &self,
        state: &mut State,
        exceptions: Vec<Exception>,
        ids: Vec<String>,
        mut told: Event,
    ) -> Result<ExceptionsChanged, RuleError> {
        let set = ExceptionSet::compile(exceptions.clone())?.counting_on(&state.prepared.exceptions);
        state.prepared.exceptions = Arc::new(set);
        let saved = state.kept.put_exceptions(exceptions);
        self.put_in_force(state);
        let in_force = state.prepared.exceptions.len();
        if !told.reason.is_empty() {
            told.reason.push_str("; ");
        }
        told.reason.push_str(&match &saved {
            Ok(()) => format!("generation {}: {in_force} exceptions in force", state.generation),
            Err(error) => format!("generation {}: in force, but not on the disk: {error}", state.generation),
        });
        self.shared.tell(told);
        Ok(ExceptionsChanged {
            status: "applied",
            generation: state.generation,
            exceptions: in_force,
            ids,
            durable: saved.is_ok(),
        })
    }
}

fn changed_by(actor: &str) -> Event {
    let event = Event::new(EventKind::Policy, "mitigation-node", "exceptions_changed", "");
    Event { actor: Some(actor.to_owned()), ..event }
}

/// The first few ids, and how many more there are.
fn summary(ids: &[String]) -> String {
    let named: Vec<&str> = ids.iter().take(IDS_TOLD).map(String::as_str).collect();
    match ids.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
