//! The policy in force, and every way to change it: checked and compiled first, then swapped whole. What cannot be, changes
//! nothing.

use crate::arguments::Arguments;
use crate::rules::{self, Overlay};
use rustls::ServerConfig;
use secbeat_edge::tls::{self, Sessions};
use secbeat_intel::Rate;
use secbeat_l7::{Policy, Shared};
use secbeat_settings::{Degradation, Format, Level, Loaded, Settings, Sources, WafMode};
use secbeat_telemetry as telemetry;
use secbeat_types::{Event, EventKind};
use secbeat_waf::{Rule, RuleError, RuleSet};
use serde::Serialize;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where the settings come from, each time they are read.
pub struct Origin {
    config: PathBuf,
    sets: Vec<String>,
}

impl Origin {
    /// As the command line has it.
    pub fn new(arguments: &Arguments) -> Self {
        Self { config: arguments.config.clone(), sets: arguments.sets.clone() }
    }

    /// Reads the settings and refuses what this version does not have.
    ///
    /// # Errors
    /// Every problem, a line each.
    pub fn load(&self) -> Result<(Loaded, Vec<Degradation>), String> {
        let sources = Sources::of_process(Some(self.config.clone()), self.sets.clone());
        let loaded = Settings::load(&sources).map_err(|errors| errors.to_string())?;
        let degraded = loaded.check_built().map_err(|errors| errors.to_string())?;
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
}

/// Compiles rules and loads certificates.
///
/// # Errors
/// What is wrong, and where.
pub fn prepare(settings: &Settings, overlay: &Overlay, sessions: &Sessions) -> Result<Prepared, String> {
    let file_rules = rules::of_file(settings.waf.rules_path.as_deref())?;
    let rules =
        compile(settings, &overlay.over(&file_rules)).map_err(|error| format!("waf.rules_path: {error}"))?;
    let tls = match &settings.tls {
        None => None,
        Some(tls) => {
            let protocols: Vec<String> =
                tls.protocols.iter().map(|version| version.as_str().to_owned()).collect();
            let config = tls::load(&tls.cert_path, &tls.key_path, &protocols, sessions);
            Some(config.map_err(|error| error.to_string())?)
        }
    };
    Ok(Prepared { file_rules, rules: Arc::new(rules), tls })
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

/// The rate of a client, with a burst of twice as many.
pub fn rate(settings: &Settings) -> Rate {
    Rate::per_second(u32::try_from(settings.waf.rate_limit_rps).unwrap_or(u32::MAX))
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

/// The policy in force, and every way to change it.
pub struct Control {
    /// What the data plane reads.
    pub shared: Arc<Shared>,
    origin: Origin,
    sessions: Sessions,
    state: Mutex<State>,
}

struct State {
    generation: u64,
    /// The settings that the program was started with: what needs a restart is compared with these.
    started: Settings,
    settings: Settings,
    prepared: Prepared,
    overlay: Overlay,
}

impl Control {
    /// Takes over after the start, with generation 1 in force.
    pub fn new(
        shared: Arc<Shared>,
        origin: Origin,
        sessions: Sessions,
        settings: Settings,
        prepared: Prepared,
        overlay: Overlay,
    ) -> Self {
        let state = State { generation: 1, started: settings.clone(), settings, prepared, overlay };
        Self { shared, origin, sessions, state: Mutex::new(state) }
    }

    /// The settings in force.
    pub fn settings(&self) -> Settings {
        self.state().settings.clone()
    }

    /// Reads settings, rules and certificates anew and swaps them in. The log file is opened anew whatever comes of it.
    ///
    /// # Errors
    /// What is wrong, and where; the old policy stays in force.
    pub fn reload(&self) -> Result<Reloaded, String> {
        let mut state = self.state();
        // A log that cannot be opened anew goes on in the old file: the next reload tries again.
        let reopened = self.shared.log.reopen();
        let outcome = self.reload_into(&mut state).and_then(|reloaded| match reopened {
            Ok(()) => Ok(reloaded),
            Err(error) => Err(format!("logging.file: {error}; everything else was reloaded")),
        });
        let event = match &outcome {
            Ok(done) => {
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

    fn reload_into(&self, state: &mut State) -> Result<Reloaded, String> {
        let (loaded, _) = self.origin.load()?;
        let new = loaded.settings;
        let mut prepared = prepare(&new, &state.overlay, &self.sessions)?;
        if new.tls.is_some() != state.started.tls.is_some() {
            // A listener does not change its protocol under its clients.
            prepared.tls = state.prepared.tls.clone();
        }
        if new.logging.file != state.settings.logging.file {
            self.shared.log.set_target(target(&new)).map_err(|error| format!("logging.file: {error}"))?;
        }
        let restart_required = state.started.changes(&new).restart_required;
        let mut changed = state.settings.changes(&new).changed;
        changed.retain(|key| !restart_required.contains(key));
        if prepared.rules.rules() != state.prepared.rules.rules() {
            changed.push("waf.rules".into());
        }
        state.settings = new;
        state.prepared = prepared;
        self.put_in_force(state);
        Ok(Reloaded { status: "reloaded", generation: state.generation, changed, restart_required })
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

    /// The rules, in order, with the generation that they are in force in.
    pub fn rules(&self) -> (u64, Arc<RuleSet>) {
        let state = self.state();
        (state.generation, state.prepared.rules.clone())
    }

    fn put_overlay(&self, state: &mut State, overlay: Overlay) -> Result<RulesChanged, RuleError> {
        let rules = compile(&state.settings, &overlay.over(&state.prepared.file_rules))?;
        let saved: io::Result<()> = overlay.save(&state.settings.server.data_dir);
        state.overlay = overlay;
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
        self.shared.rates.set_rate(rate(settings));
        self.shared.bodies.set_limit(settings.waf.body_memory_budget);
        self.shared.log.set_level(level(settings.logging.level));
        self.shared.log.set_format(format(settings.logging.format));
        self.shared.policy.store(Arc::new(policy(state.generation, settings, &state.prepared)));
    }

    /// A panic elsewhere leaves the state whole: each change of it is an assignment.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
