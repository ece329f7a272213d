//! The composition: what is built, and in which order.

use crate::Failure;
use crate::arguments::Arguments;
use crate::certificates;
use crate::control::{Control, Start, policy};
use crate::kept::Kept;
use crate::kill_switch::KillSwitchKeeper;
use crate::ledger_options;
use crate::life;
use crate::log_options;
use crate::origin::Origin;
use crate::prepare::Prepared;
use crate::sandbox::Sandbox;
use crate::secrets;
use crate::sockets;
use secbeat_edge::tls::Sessions;
use secbeat_intel::{Connections, Decisions, RateTable, Reading as Clocks, SteadyClock};
use secbeat_l7::budget::Budget;
use secbeat_l7::kill_switch::KillSwitch;
use secbeat_l7::roll_call::RollCall;
use secbeat_l7::shared::Lifecycle;
use secbeat_l7::{Shared, Worker};
use secbeat_settings::Settings;
use secbeat_telemetry::{EventRing, LogOptions, Logger, Metrics};
use secbeat_types::Timestamp;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;
use tokio::sync::mpsc;

/// Checks everything that a start would, and starts nothing.
pub fn validate(arguments: &Arguments) -> Result<(), Failure> {
    let (loaded, degraded) = Origin::new(arguments).load().map_err(Failure::configuration)?;
    let mut settings = loaded.settings;
    let mut notes = loaded.warnings;
    notes.extend(
        degraded.iter().map(|missing| format!("{}: {}; {}", missing.key, missing.why, missing.remedy)),
    );
    if let Some(tls) = settings.tls.take_if(|tls| !tls.cert_path.exists() && !tls.key_path.exists()) {
        notes.push(format!(
            "tls.cert_path: {} is not there, nor is its key; a start makes a self-signed pair",
            tls.cert_path.display()
        ));
    }
    let kept = Kept::load(&settings.server.data_dir).map_err(Failure::configuration)?;
    Sandbox::check(&settings)?;
    let sessions = Sessions::new().map_err(Failure::machine)?;
    let prepared = Prepared::load(&settings, &kept, &sessions).map_err(Failure::configuration)?;
    for note in notes.iter().chain(&prepared.seclang.notes) {
        println!("note: {note}");
    }
    println!(
        "{}: valid: mode {}, {} to {}, {} firewall rules{}",
        arguments.config.display(),
        settings.server.mode.as_str(),
        settings.server.bind_address,
        settings.server.backend_address,
        prepared.rules.rules().len(),
        prepared
            .seclang
            .program
            .map_or_else(String::new, |program| format!(" and {} in SecLang", program.rules().len()))
    );
    Ok(())
}

/// Runs the node until it is told to stop.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let started = Instant::now();
    let mut origin = Origin::new(arguments);
    let (loaded, mut degraded) = origin.load().map_err(Failure::configuration)?;
    let (settings, warnings) = (&loaded.settings, &loaded.warnings);

    // What needs the disk.
    let data_dir = &settings.server.data_dir;
    let clock = SteadyClock::new(Clocks::take());
    let (decisions, damages) = Decisions::open(data_dir, clock.now())
        .map_err(|error| Failure::machine(format!("server.data_dir: {error}")))?;
    if settings.syn_proxy.enable && settings.syn_proxy.syn_cookie_secret.is_none() {
        secrets::ensure_syn_cookie_secret(data_dir)
            .map_err(|error| Failure::machine(format!("server.data_dir: {}: {error}", data_dir.display())))?;
    }
    if let Some(tls) = &settings.tls {
        certificates::ensure(&tls.cert_path, &tls.key_path).map_err(Failure::configuration)?;
    }
    let kept = Kept::load(data_dir).map_err(Failure::configuration)?;
    let sessions = Sessions::new().map_err(Failure::machine)?;
    let prepared = Prepared::load(settings, &kept, &sessions).map_err(Failure::configuration)?;

    // What needs the network.
    let workers = workers(settings);
    let listeners = sockets::of_workers(settings, workers)?;
    let api_sockets = sockets::of_api(settings)?;

    // From here on the node can do what its settings need, and no more. It binds the threads that are started from here on: there
    // must be none before.
    let sandbox = Sandbox::enter(&arguments.config, settings, &prepared.seclang.files)?;
    degraded.extend_from_slice(sandbox.missing());
    origin.confine(sandbox);
    let (log, log_writer) = open_log(settings)?;
    log_panics(log.clone());
    for warning in warnings {
        log.warn("mitigation-node", "configuration_warning").str("reason", warning).send();
    }
    for note in &prepared.seclang.notes {
        log.warn("waf", "rules_note").str("reason", note).send();
    }
    for damage in &damages {
        log.warn("mitigation-node", "decisions_damaged").str("reason", damage).send();
    }

    let metrics = Arc::new(Metrics::new(workers, env!("CARGO_PKG_VERSION"), started));
    let shared = Arc::new(Shared {
        policy: arc_swap::ArcSwap::from_pointee(policy(1, settings, &prepared)),
        decisions: Arc::new(decisions),
        clock,
        rates: RateTable::new(),
        connections: Connections::new(),
        bodies: Budget::new(settings.waf.body_memory_budget, settings.waf.body_memory_per_client),
        collections: Arc::default(),
        metrics,
        events: Arc::new(EventRing::after_id(first_event_id(Timestamp::now()))),
        ledgers: ledger_options::start(settings, workers, &log).map_err(Failure::machine)?,
        log: log.clone(),
        started,
        lifecycle: Lifecycle::default(),
        kill_switch: KillSwitch::default(),
        roll_call: RollCall::new(workers),
    });
    shared.collections.set_timeout(prepared.seclang.collection_timeout_s());
    let kill_switch =
        KillSwitchKeeper::load(data_dir, &shared, shared.clock.now()).map_err(Failure::configuration)?;
    let address = listeners.first().and_then(|of_worker| of_worker.first()).and_then(|l| l.local_addr().ok());
    let (tell_ended, ended) = mpsc::channel(1);
    let running = start_workers(&shared, listeners, &tell_ended)?;
    let mut line = log
        .info("mitigation-node", "started")
        .str("version", env!("CARGO_PKG_VERSION"))
        .str("mode", settings.server.mode.as_str())
        .display("backend", &settings.server.backend_address)
        .u64("workers", workers as u64);
    if let Some(address) = address {
        line = line.display("listen", address);
    }
    line.send();
    let start = Start { shared, kill_switch, origin, sessions, loaded, prepared, kept, degraded };
    let control = Arc::new(Control::new(start));
    let outcome = life::wait(&control, workers, api_sockets, arguments.stop_with_parent, ended, running);
    log.info("mitigation-node", "stopped").send();
    drop(log_writer);
    outcome
}

/// Ids of events ascend from start to start: a thousand for each millisecond are more than a node tells of.
fn first_event_id(now: Timestamp) -> u64 {
    u64::try_from(now.unix_ms()).unwrap_or_default().saturating_mul(1000)
}

fn open_log(settings: &Settings) -> Result<(Logger, secbeat_telemetry::LogWriter), Failure> {
    let options = LogOptions {
        level: log_options::level(settings.logging.level),
        format: log_options::format(settings.logging.format),
        target: log_options::target(settings),
        lines_per_second: settings.logging.lines_per_second,
    };
    Logger::start(options).map_err(|error| Failure::machine(format!("logging.file: {error}")))
}

/// A panic is a fault of ours: it ends one task, and is told where the operator looks.
fn log_panics(log: Logger) {
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        let reason = panic.payload_as_str().unwrap_or("no message");
        log.error("mitigation-node", "panicked").str("place", &place).str("reason", reason).send();
    }));
}

fn workers(settings: &Settings) -> usize {
    match settings.server.worker_threads {
        0 => thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    }
}

fn start_workers(
    shared: &Arc<Shared>,
    listeners: Vec<Vec<TcpListener>>,
    tell_ended: &mpsc::Sender<usize>,
) -> Result<Vec<JoinHandle<()>>, Failure> {
    let seed = secrets::random::<8>().map(u64::from_ne_bytes).map_err(Failure::machine)?;
    let mut running = Vec::new();
    for (index, listeners) in listeners.into_iter().enumerate() {
        let shared = shared.clone();
        let ended = Ended { index, tell: tell_ended.clone() };
        let work = move || {
            let _ended = ended;
            let log = shared.log.clone();
            if let Err(error) = Worker::new(shared, index, seed).run(listeners) {
                log.error("mitigation-node", "worker_failed").display("reason", error).send();
            }
        };
        let worker = thread::Builder::new().name(format!("worker-{index}")).spawn(work);
        running.push(worker.map_err(|error| Failure::machine(format!("cannot start a worker: {error}")))?);
    }
    Ok(running)
}

/// Tells of the end of a worker, also where that is a panic.
struct Ended {
    index: usize,
    tell: mpsc::Sender<usize>,
}

impl Drop for Ended {
    fn drop(&mut self) {
        // One is enough; and when the program stops, nobody listens.
        let _ = self.tell.try_send(self.index);
    }
}
