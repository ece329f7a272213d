//! Reading everything anew.

use super::{Control, State};
use crate::certificates;
use crate::ledger_options;
use crate::log_options;
use crate::prepare::Prepared;
use secbeat_telemetry::Logger;
use secbeat_types::{Event, EventKind};
use serde::Serialize;
use std::io;
use std::sync::Arc;

/// What came of a reload.
#[derive(Serialize)]
pub struct Reloaded {
    status: &'static str,
    generation: u64,
    changed: Vec<String>,
    restart_required: Vec<String>,
    /// What did not work, and keeps no policy from being in force.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl Control {
    /// Reads settings, rules, pages and certificates anew and swaps them in, as `actor` has asked. The log file is opened anew
    /// whatever comes of it.
    ///
    /// # Errors
    /// What is wrong, and where; the old policy stays in force.
    pub fn reload(&self, actor: &str) -> Result<Reloaded, String> {
        let mut state = self.state();
        // A log that cannot be opened anew goes on in the old file: the next reload tries again.
        let reopened = self.shared.log.reopen();
        let outcome = self.reload_into(&mut state, reopened);
        let event = match &outcome {
            Ok(done) => {
                for warning in &done.warnings {
                    self.shared.log.warn("mitigation-node", "reload_warning").str("reason", warning).send();
                }
                let reason =
                    format!("generation {}; changed: [{}]", done.generation, done.changed.join(", "));
                Event::new(EventKind::Policy, "mitigation-node", "policy_reloaded", reason)
            }
            Err(why) => Event {
                blocked: true,
                ..Event::new(EventKind::Policy, "mitigation-node", "policy_refused", why.clone())
            },
        };
        self.shared.tell(Event { actor: Some(actor.to_owned()), ..event });
        outcome
    }

    fn reload_into(&self, state: &mut State, reopened: io::Result<()>) -> Result<Reloaded, String> {
        let (loaded, mut degraded) = self.origin.load()?;
        let new = loaded.settings;
        let mut prepared = Prepared::load(&new, &state.kept, &self.sessions)?;
        prepared.exceptions = state.prepared.exceptions.clone();
        if new.tls.is_some() != state.started.tls.is_some() {
            // A listener does not change its protocol under its clients.
            prepared.tls = state.prepared.tls.clone();
            prepared.certificate = state.prepared.certificate.clone();
        }
        let mut warnings = Vec::new();
        let log = &self.shared.log;
        let target = log_options::target(&new);
        // Compared with where it really goes.
        let moved = match target == log.target() {
            true => None,
            false => Some(Logger::open(target).map_err(|error| format!("logging.file: {error}"))?),
        };
        let logs = ledger_options::open(&new)?;
        // Nothing fails from here on: the first thing that changes is the first that is in force.
        if let Some(opened) = moved {
            log.move_to(opened);
        } else if let Err(error) = reopened {
            warnings.push(format!("logging.file: {error}; the log goes on in the file that was open"));
        }
        ledger_options::put_in_force(&self.shared.ledgers, &new, logs);
        let restart_required = state.started.changes(&new).restart_required;
        let mut changed = state.settings.changes(&new).changed;
        changed.retain(|key| !restart_required.contains(key));
        if prepared.rules.rules() != state.prepared.rules.rules() {
            changed.push("waf.rules".into());
        }
        if prepared.seclang.fingerprint != state.prepared.seclang.fingerprint {
            changed.push("waf.seclang".into());
            warnings.extend(prepared.seclang.notes.iter().cloned());
        }
        if prepared.certificate != state.prepared.certificate {
            changed.push("tls.certificate".into());
        }
        degraded.extend(certificates::degradation(&prepared.certificate));
        self.tell_degraded(&state.degraded, &degraded);
        state.degraded = degraded;
        state.settings = Arc::new(new);
        state.origins = Arc::new(loaded.origins);
        state.prepared = prepared;
        self.put_in_force(state);
        Ok(Reloaded { status: "reloaded", generation: state.generation, changed, restart_required, warnings })
    }
}
