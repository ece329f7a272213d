//! The policy in force, and every way to change it: checked and compiled first, then swapped whole. What cannot be, changes
//! nothing.

use crate::arguments::Arguments;
use crate::certificates;
use crate::kill_switch::KillSwitchKeeper;
use crate::rules::{self, Overlay};
use crate::sandbox::Sandbox;
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use secbeat_edge::tls::{self, Sessions};
use secbeat_l7::{Policy, Shared};
use secbeat_settings::{Degradation, Format, Level, Loaded, Settings, Sources, WafMode};
use secbeat_telemetry as telemetry;
use secbeat_types::{Event, EventKind};
use secbeat_waf::{Rule, RuleError, RuleSet};
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// Where the settings come from, each time they are read.
pub struct Origin {
    config: PathBuf,
    sets: Vec<String>,
    sandbox: Sandbox,
}

impl Origin {
    /// As the command line has it.
    pub fn new(arguments: &Arguments) -> Self {
        Self { config: arguments.config.clone(), sets: arguments.sets.clone(), sandbox: Sandbox::default() }
    }

    /// From now on read by a node that has denied itself all but this.
    pub fn confine(&mut self, sandbox: Sandbox) {
        self.sandbox = sandbox;
    }

    /// Reads the settings and refuses what this version does not have, and what is out of reach.
    ///
    /// # Errors
    /// Every problem, a line each.
    pub fn load(&self) -> Result<(Loaded, Vec<Degradation>), String> {
        let read = |path: &Path| self.sandbox.read(path);
        let process = Sources::of_process(Some(self.config.clone()), self.sets.clone());
        let loaded =
            Settings::load(&Sources { read: &read, ..process }).map_err(|errors| errors.to_string())?;
        let mut degraded = loaded.check_built().map_err(|errors| errors.to_string())?;
        self.sandbox.admits(&loaded.settings)?;
        degraded.extend_from_slice(self.sandbox.missing());
        Ok((loaded, degraded))
    }
}

/// The parts of a policy that are compiled or loaded.
pub struct Prepared {
    /// The rules of the file.
    pub file_rules: Vec<Rule>,
    /// The rules in force, compiled.
    pub rules: Arc<RuleSet>,
    /// The listener's TLS.
    pub tls: Option<Arc<ServerConfig>>,
    /// The bytes of its certificate file.
    pub certificate: Vec<u8>,
}

/// Compiles rules and loads certificates.
///
/// # Errors
/// What is wrong, and where.
pub fn prepare(settings: &Settings, overlay: &Overlay, sessions: &Sessions) -> Result<Prepared, String> {
    let file_rules = rules::of_file(settings.waf.rules_path.as_deref())?;
    let rules =
        compile(settings, &overlay.over(&file_rules)).map_err(|error| format!("waf.rules_path: {error}"))?;
    let mut certificate = Vec::new();
    let tls = match &settings.tls {
        None => None,
        Some(tls) => {
            // What cannot be read is told by the loading itself.
            certificate = std::fs::read(&tls.cert_path).unwrap_or_default();
            let protocols: Vec<String> =
                tls.protocols.iter().map(|version| version.as_str().to_owned()).collect();
            let config = tls::load(&tls.cert_path, &tls.key_path, &protocols, sessions);
            Some(config.map_err(|error| error.to_string())?)
        }
    };
    Ok(Prepared { file_rules, rules: Arc::new(rules), tls, certificate })
}

fn compile(settings: &Settings, rules: &[Rule]) -> Result<RuleSet, RuleError> {
    let how = secbeat_waf::Settings {
        block_suspicious: settings.waf.block_suspicious,
        monitor: settings.waf.mode == WafMode::Monitor,
        ..secbeat_waf::Settings::default()
    };
    RuleSet::compile(rules, &how)
}

/// The policy that settings and prepared parts make.
pub fn policy(generation: u64, settings: &Settings, prepared: &Prepared) -> Policy {
    let rules = settings.waf.enable.then(|| prepared.rules.clone());
    Policy::new(generation, settings, rules, prepared.tls.clone())
}

/// The level of the log.
pub fn level(level: Level) -> telemetry::Level {
    match level {
        Level::Error => telemetry::Level::Error,
        Level::Warn => telemetry::Level::Warn,
        Level::Info => telemetry::Level::Info,
        Level::Debug => telemetry::Level::Debug,
        Level::Trace => telemetry::Level::Trace,
    }
}

/// The format of the log. (`ecs` was refused before.)
pub fn format(format: Format) -> telemetry::Format {
    match format {
        Format::Json | Format::Ecs => telemetry::Format::Json,
        Format::Pretty => telemetry::Format::Pretty,
    }
}

/// Where the log goes.
pub fn target(settings: &Settings) -> telemetry::Target {
    settings.logging.file.clone().map_or(telemetry::Target::Stderr, telemetry::Target::File)
}

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

/// What came of a change of rules.
#[derive(Serialize)]
pub struct RulesChanged {
    status: &'static str,
    generation: u64,
    rules: usize,
    /// Whether it survives a restart: the disk may be full.
    pub durable: bool,
}

/// What is in force, for whoever looks: read without waiting for a change that is under way.
pub struct View {
    /// The number of the policy.
    pub generation: u64,
    /// The settings.
    pub settings: Arc<Settings>,
    /// The rules, in order.
    pub rules: Arc<RuleSet>,
    /// What the node runs without.
    pub degraded: Vec<Degradation>,
    /// Whether the rules set by the API are on the disk.
    pub rules_durable: bool,
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
}

struct State {
    generation: u64,
    /// The settings that the program was started with: what needs a restart is compared with these.
    started: Settings,
    settings: Arc<Settings>,
    prepared: Prepared,
    overlay: Overlay,
    /// Whether the overlay is on the disk.
    overlay_saved: bool,
    degraded: Vec<Degradation>,
}

impl State {
    fn view(&self) -> View {
        View {
            generation: self.generation,
            settings: self.settings.clone(),
            rules: self.prepared.rules.clone(),
            degraded: self.degraded.clone(),
            rules_durable: self.overlay_saved,
        }
    }
}

impl Control {
    /// Takes over after the start, with generation 1 in force; `degraded` is what the settings ask for and is not there.
    pub fn new(
        shared: Arc<Shared>,
        kill_switch: KillSwitchKeeper,
        origin: Origin,
        sessions: Sessions,
        settings: Settings,
        prepared: Prepared,
        overlay: Overlay,
        mut degraded: Vec<Degradation>,
    ) -> Self {
        degraded.extend(certificates::degradation(&prepared.certificate));
        let state = State {
            generation: 1,
            started: settings.clone(),
            settings: Arc::new(settings),
            degraded,
            prepared,
            overlay,
            overlay_saved: true,
        };
        let control = Self {
            shared,
            kill_switch,
            origin,
            sessions,
            view: ArcSwap::from_pointee(state.view()),
            state: Mutex::new(state),
        };
        control.tell_degraded(&[], &control.view().degraded);
        control
    }

    /// What is in force.
    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// Reads settings, rules and certificates anew and swaps them in. The log file is opened anew whatever comes of it.
    ///
    /// # Errors
    /// What is wrong, and where; the old policy stays in force.
    pub fn reload(&self) -> Result<Reloaded, String> {
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
        self.shared.tell(event);
        outcome
    }

    fn reload_into(&self, state: &mut State, reopened: io::Result<()>) -> Result<Reloaded, String> {
        let (loaded, mut degraded) = self.origin.load()?;
        let new = loaded.settings;
        let mut prepared = prepare(&new, &state.overlay, &self.sessions)?;
        if new.tls.is_some() != state.started.tls.is_some() {
            // A listener does not change its protocol under its clients.
            prepared.tls = state.prepared.tls.clone();
            prepared.certificate = state.prepared.certificate.clone();
        }
        let mut warnings = Vec::new();
        if new.logging.file != state.settings.logging.file {
            self.shared.log.set_target(target(&new)).map_err(|error| format!("logging.file: {error}"))?;
        } else if let Err(error) = reopened {
            warnings.push(format!("logging.file: {error}; the log goes on in the file that was open"));
        }
        let restart_required = state.started.changes(&new).restart_required;
        let mut changed = state.settings.changes(&new).changed;
        changed.retain(|key| !restart_required.contains(key));
        if prepared.rules.rules() != state.prepared.rules.rules() {
            changed.push("waf.rules".into());
        }
        if prepared.certificate != state.prepared.certificate {
            changed.push("tls.certificate".into());
        }
        degraded.extend(certificates::degradation(&prepared.certificate));
        self.tell_degraded(&state.degraded, &degraded);
        state.degraded = degraded;
        state.settings = Arc::new(new);
        state.prepared = prepared;
        self.put_in_force(state);
        Ok(Reloaded { status: "reloaded", generation: state.generation, changed, restart_required, warnings })
    }

    /// Sets rules by id, or all of them where `replace`.
    ///
    /// # Errors
    /// The first rule that is wrong; nothing has changed.
    pub fn set_rules(&self, rules: Vec<Rule>, replace: bool) -> Result<RulesChanged, RuleError> {
        let mut state = self.state();
        let mut overlay = state.overlay.clone();
        if replace {
            overlay.replace(rules)
        } else {
            overlay.upsert(rules)
        }
        self.put_overlay(&mut state, overlay)
    }

    /// Deletes a rule. `None`: there is no such rule.
    ///
    /// # Errors
    /// The rules that are left do not compile; nothing has changed.
    pub fn delete_rule(&self, id: &str) -> Option<Result<RulesChanged, RuleError>> {
        let mut state = self.state();
        let mut overlay = state.overlay.clone();
        overlay.delete(id, &state.prepared.file_rules).then(|| self.put_overlay(&mut state, overlay))
    }

    /// Makes good a write of rules that failed. To be called each second; gives way to a change that is under way.
    pub fn flush(&self) {
        let mut state = match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(state)) => state.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if state.overlay_saved {
            return;
        }
        match state.overlay.save(&state.started.server.data_dir) {
            Ok(()) => {
                state.overlay_saved = true;
                self.view.store(Arc::new(state.view()));
            }
            Err(error) => {
                self.shared.log.error("mitigation-node", "rules_not_durable").display("reason", error).send();
            }
        }
    }

    fn put_overlay(&self, state: &mut State, overlay: Overlay) -> Result<RulesChanged, RuleError> {
        let rules = compile(&state.settings, &overlay.over(&state.prepared.file_rules))?;
        let saved: io::Result<()> = overlay.save(&state.started.server.data_dir);
        state.overlay = overlay;
        state.overlay_saved = saved.is_ok();
        state.prepared.rules = Arc::new(rules);
        self.put_in_force(state);
        let in_force = state.prepared.rules.rules().len();
        let reason = match &saved {
            Ok(()) => format!("generation {}: {in_force} rules in force", state.generation),
            Err(error) => format!("generation {}: in force, but not on the disk: {error}", state.generation),
        };
        self.shared.tell(Event::new(EventKind::Policy, "mitigation-node", "rules_changed", reason));
        Ok(RulesChanged {
            status: "applied",
            generation: state.generation,
            rules: in_force,
            durable: saved.is_ok(),
        })
    }

    fn put_in_force(&self, state: &mut State) {
        let settings = &state.settings;
        state.generation += 1;
        self.shared
            .bodies
            .set_limits(settings.waf.body_memory_budget, settings.waf.body_memory_per_client);
        self.shared.log.set_level(level(settings.logging.level));
        self.shared.log.set_format(format(settings.logging.format));
        self.shared.policy.store(Arc::new(policy(state.generation, settings, &state.prepared)));
        self.view.store(Arc::new(state.view()));
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

    /// A panic elsewhere leaves the state whole: each change of it is an assignment.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
