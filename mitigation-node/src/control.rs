//! The policy in force, and every way to change it: checked and compiled first, then swapped whole. What cannot be, changes
//! nothing.

mod exceptions;
mod reload;
mod rules;

pub use exceptions::ExceptionsChanged;
pub use reload::Reloaded;
pub use rules::RulesChanged;

use crate::certificates;
use crate::kept::Kept;
use crate::kill_switch::KillSwitchKeeper;
use crate::log_options;
use crate::origin::Origin;
use crate::prepare::{Prepared, SiteRules};
use arc_swap::ArcSwap;
use secbeat_edge::tls::Sessions;
use secbeat_l7::{Policy, Shared};
use secbeat_settings::{Degradation, Loaded, Settings};
use secbeat_waf::{ExceptionSet, RuleSet};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// What is in force, for whoever looks: read without waiting for a change that is under way.
pub struct View {
    /// The number of the policy.
    pub generation: u64,
    /// The settings.
    pub settings: Arc<Settings>,
    /// Where each value comes from, by its key; a key that is not here has its default.
    pub origins: Arc<BTreeMap<String, secbeat_settings::Origin>>,
    /// The rules, in order.
    pub rules: Arc<RuleSet>,
    /// The rules of each site that has a file of its own.
    pub site_rules: SiteRules,
    /// The exceptions, in order.
    pub exceptions: Arc<ExceptionSet>,
    /// What the node runs without.
    pub degraded: Vec<Degradation>,
    /// Whether what the API has set is on the disk.
    pub is_durable: bool,
}

/// The policy in force, and every way to change it.
pub struct Control {
    /// What the data plane reads.
    pub shared: Arc<Shared>,
    /// What turns the kill switch.
    pub kill_switch: KillSwitchKeeper,
    origin: Origin,
    sessions: Sessions,
    view: ArcSwap<View>,
    state: Mutex<State>,
    /// Policies that were in force and that a request may still hold.
    retired: Mutex<Vec<Arc<Policy>>>,
}

/// What a node starts with.
pub struct Start {
    /// What the data plane reads.
    pub shared: Arc<Shared>,
    /// What turns the kill switch.
    pub kill_switch: KillSwitchKeeper,
    /// Where the settings come from.
    pub origin: Origin,
    /// What TLS sessions are resumed with.
    pub sessions: Sessions,
    /// The settings.
    pub loaded: Loaded,
    /// What they lead to.
    pub prepared: Prepared,
    /// What the API has set before.
    pub kept: Kept,
    /// What the settings ask for and is not there.
    pub degraded: Vec<Degradation>,
}

struct State {
    generation: u64,
    /// The settings that the program was started with: what needs a restart is compared with these.
    started: Settings,
    settings: Arc<Settings>,
    origins: Arc<BTreeMap<String, secbeat_settings::Origin>>,
    prepared: Prepared,
    kept: Kept,
    degraded: Vec<Degradation>,
}

impl State {
    fn view(&self) -> View {
        View {
            generation: self.generation,
            settings: self.settings.clone(),
            origins: self.origins.clone(),
            rules: self.prepared.rules.clone(),
            site_rules: self.prepared.site_rules.clone(),
            exceptions: self.prepared.exceptions.clone(),
            degraded: self.degraded.clone(),
            is_durable: self.kept.is_saved(),
        }
    }
}

impl Control {
    /// Takes over after the start, with generation 1 in force.
    pub fn new(start: Start) -> Self {
        let Start { shared, kill_switch, origin, sessions, loaded, prepared, kept, mut degraded } = start;
        degraded.extend(certificates::degradation(&prepared.certificate));
        let state = State {
            generation: 1,
            started: loaded.settings.clone(),
            settings: Arc::new(loaded.settings),
            origins: Arc::new(loaded.origins),
            prepared,
            kept,
            degraded,
        };
        let view = ArcSwap::from_pointee(state.view());
        let (state, retired) = (Mutex::new(state), Mutex::default());
        let control = Self { shared, kill_switch, origin, sessions, view, state, retired };
        control.tell_degraded(&[], &control.view().degraded);
        control
    }

    /// What is in force.
    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// Makes good a write that failed. To be called each second; gives way to a change that is under way.
    pub fn flush(&self) {
        let Some(mut state) = self.try_state() else { return };
        if state.kept.is_saved() {
            return;
        }
        match state.kept.save_again() {
            Ok(()) => self.view.store(Arc::new(state.view())),
            Err(error) => {
                self.shared.log.error("mitigation-node", "rules_not_durable").display("reason", error).send();
            }
        }
    }

    fn put_in_force(&self, state: &mut State) {
        let settings = &state.settings;
        state.generation += 1;
        self.shared.bodies.set_limits(settings.waf.body_memory_budget, settings.waf.body_memory_per_client);
        self.shared.collections.set_timeout(state.prepared.seclang.collection_timeout_s());
        log_options::put_in_force(&self.shared.log, settings);
        let new = Arc::new(policy(state.generation, settings, &state.prepared));
        let old = self.shared.policy.swap(new);
        self.retired().push(old);
        self.view.store(Arc::new(state.view()));
    }

    /// Drops the policies that no request holds any more. To be called each second: the last to let go of one would otherwise be a
    /// worker, in the middle of a request, with all its rules to take apart.
    pub fn drop_retired(&self) {
        let (held, free): (Vec<_>, Vec<_>) =
            self.retired().drain(..).partition(|policy| Arc::strong_count(policy) > 1);
        self.retired().extend(held);
        drop(free);
    }

    fn retired(&self) -> MutexGuard<'_, Vec<Arc<Policy>>> {
        self.retired.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the node runs without, in metrics and log: what came, and what is gone.
    fn tell_degraded(&self, before: &[Degradation], now: &[Degradation]) {
        let feature = |missing: &Degradation| missing.key.split('.').next().unwrap_or(missing.key);
        for missing in before {
            self.shared.metrics.set_degraded(feature(missing), false);
        }
        for missing in now {
            self.shared.metrics.set_degraded(feature(missing), true);
            if !before.iter().any(|known| known.key == missing.key) {
                self.shared
                    .log
                    .warn("mitigation-node", "degraded")
                    .str("feature", missing.key)
                    .str("reason", missing.why)
                    .str("remedy", missing.remedy)
                    .send();
            }
        }
    }

    /// The state, where no change is under way.
    fn try_state(&self) -> Option<MutexGuard<'_, State>> {
        match self.state.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::Poisoned(state)) => Some(state.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// A panic elsewhere leaves the state whole: each change of it is an assignment.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The policy that settings and prepared parts make.
pub fn policy(generation: u64, settings: &Settings, prepared: &Prepared) -> Policy {
    let (sites, exceptions) = (prepared.sites.clone(), prepared.exceptions.clone());
    Policy::new(generation, settings, sites, exceptions, prepared.tls.clone())
}
