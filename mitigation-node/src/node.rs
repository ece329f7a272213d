//! The composition: what is built, in which order, and how it ends.

use crate::Failure;
use crate::api::{self, Api};
use crate::arguments::Arguments;
use crate::certificates;
use crate::control::{Control, Start, policy};
use crate::kept::Kept;
use crate::kill_switch::KillSwitchKeeper;
use crate::ledger_options;
use crate::log_options;
use crate::origin::Origin;
use crate::prepare::Prepared;
use crate::sandbox::Sandbox;
use crate::secrets;
use secbeat_edge::tls::Sessions;
use secbeat_edge::{ListenerConfig, bind};
use secbeat_intel::{Connections, Decisions, Expired, RateTable, Reading as Clocks, SteadyClock};
use secbeat_l7::budget::Budget;
use secbeat_l7::kill_switch::KillSwitch;
use secbeat_l7::roll_call::RollCall;
use secbeat_l7::shared::Lifecycle;
use secbeat_l7::{Shared, Worker};
use secbeat_settings::Settings;
use secbeat_telemetry::metrics::Reading;
use secbeat_telemetry::{EventRing, LogOptions, Logger, Metrics, ProcessUsage};
use secbeat_types::{DecisionKind, Event, EventKind, Timestamp};
use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};
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
    let sessions = Sessions::new().map_err(Failure::machine)?;
    let prepared = Prepared::load(&settings, &kept, &sessions).map_err(Failure::configuration)?;
    for note in notes {
        println!("note: {note}");
    }
    println!(
        "{}: valid: mode {}, {} to {}, {} firewall rules",
        arguments.config.display(),
        settings.server.mode.as_str(),
        settings.server.bind_address,
        settings.server.backend_address,
        prepared.rules.rules().len()
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
    let listeners = listeners(settings, workers)?;
    let api_listener = match settings.metrics.enable {
        true => Some(api_listener(settings)?),
        false => None,
    };

    // From here on the node can do what its settings need, and no more. It binds the threads that are started from here on: there
    // must be none before.
    let sandbox = Sandbox::enter(&arguments.config, settings)?;
    degraded.extend_from_slice(sandbox.missing());
    origin.confine(sandbox);
    let (log, log_writer) = open_log(settings)?;
    log_panics(log.clone());
    for warning in warnings {
        log.warn("mitigation-node", "configuration_warning").str("reason", warning).send();
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
        metrics,
        events: Arc::new(EventRing::default()),
        ledgers: ledger_options::start(settings, workers, &log).map_err(Failure::machine)?,
        log: log.clone(),
        started,
        lifecycle: Lifecycle::default(),
        kill_switch: KillSwitch::default(),
        roll_call: RollCall::new(workers),
    });
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
    let outcome = wait(&control, workers, api_listener, arguments.stop_with_parent, ended, running);
    log.info("mitigation-node", "stopped").send();
    drop(log_writer);
    outcome
}

fn open_log(settings: &Settings) -> Result<(Logger, secbeat_telemetry::LogWriter), Failure> {
    let options = LogOptions {
        level: log_options::level(settings.logging.level),
        format: log_options::format(settings.logging.format),
        target: log_options::target(settings),
        ..LogOptions::default()
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

/// The sockets of each worker.
fn listeners(settings: &Settings, workers: usize) -> Result<Vec<Vec<TcpListener>>, Failure> {
    let configs = [ListenerConfig {
        address: settings.server.bind_address,
        backlog: settings.performance.backlog_size,
        shared_with_others: settings.server.reuse_port,
        tcp_fastopen: settings.performance.enable_tcp_fastopen,
    }];
    let mut of_workers: Vec<Vec<TcpListener>> = (0..workers).map(|_| Vec::new()).collect();
    for config in &configs {
        let sockets = bind(config, workers)
            .map_err(|error| Failure::machine(format!("server.bind_address: {error}")))?;
        of_workers.iter_mut().zip(sockets).for_each(|(of_worker, socket)| of_worker.push(socket));
    }
    Ok(of_workers)
}

fn api_listener(settings: &Settings) -> Result<TcpListener, Failure> {
    let config = ListenerConfig {
        address: settings.metrics.bind_address,
        backlog: 128,
        shared_with_others: false,
        tcp_fastopen: false,
    };
    let sockets =
        bind(&config, 1).map_err(|error| Failure::machine(format!("metrics.bind_address: {error}")))?;
    sockets.into_iter().next().ok_or_else(|| Failure::machine("metrics.bind_address: no socket"))
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

/// Serves the API, keeps the clocks, and obeys signals until one says stop; then lets the workers end what they have begun, with
/// API and clocks as before.
fn wait(
    control: &Arc<Control>,
    workers: usize,
    api_listener: Option<TcpListener>,
    stop_with_parent: bool,
    ended: mpsc::Receiver<usize>,
    running: Vec<JoinHandle<()>>,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(8)
        .build()
        .map_err(Failure::machine)?;
    let outcome = runtime.block_on(async {
        tokio::spawn(keep_time(control.clone()));
        if let Some(listener) = api_listener {
            tokio::spawn(api::serve(listener, Arc::new(Api { control: control.clone(), workers })));
        }
        let outcome = told_to_stop(control, stop_with_parent, ended).await;
        control.shared.log.info("mitigation-node", "stopping").send();
        control.shared.lifecycle.drain();
        let join = move || {
            for worker in running {
                // A worker that panicked has said so on standard error.
                let _ = worker.join();
            }
        };
        // It ends with the last worker, or not at all.
        let _ = tokio::task::spawn_blocking(join).await;
        outcome
    });
    // A disk that does not answer keeps nobody from stopping.
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

/// Waits for whatever ends the program.
async fn told_to_stop(
    control: &Arc<Control>,
    stop_with_parent: bool,
    mut ended: mpsc::Receiver<usize>,
) -> Result<(), Failure> {
    let hangup = signal(SignalKind::hangup()).map_err(Failure::machine)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::machine)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::machine)?;
    let (tell, mut parent_ended) = mpsc::channel(1);
    if stop_with_parent {
        let tell = tell.clone();
        thread::spawn(move || watch_parent(&tell));
    }
    tokio::spawn(reload_when_told(hangup, control.clone()));
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        _ = parent_ended.recv() => Ok(()),
        // A node that lost a worker would serve some clients and leave others waiting: better started anew.
        index = ended.recv() => {
            let index = index.unwrap_or_default();
            Err(Failure::machine(format!("worker {index} ended unasked; the log says why")))
        }
    }
}

/// Reloads one after the other: signals that come in meanwhile are one more reload.
async fn reload_when_told(mut hangup: Signal, control: Arc<Control>) {
    while hangup.recv().await.is_some() {
        let control = control.clone();
        // What came of it is in the log and among the events.
        let _ = tokio::task::spawn_blocking(move || control.reload().map(drop)).await;
    }
}

/// Waits for the end of standard input, and tells of it.
fn watch_parent(tell: &mpsc::Sender<()>) {
    let mut bytes = [0; 64];
    while matches!(std::io::stdin().read(&mut bytes), Ok(1..)) {}
    // The receiver is gone where the program stops already.
    let _ = tell.blocking_send(());
}

/// What is to be done each second, and a little oftener.
async fn keep_time(control: Arc<Control>) {
    let shared = &control.shared;
    let mut interval = tokio::time::interval(Duration::from_millis(200));
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for count in 0_u64.. {
        interval.tick().await;
        shared.events.drain();
        if count % 5 == 0 {
            let control = control.clone();
            // A write that waits for the disk must not hold up the calls.
            let _ = tokio::task::spawn_blocking(move || each_second(&control)).await;
        }
        if count % (5 * 3600) == 0 {
            let now = u64::try_from(shared.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            shared.rates.sweep(now);
        }
    }
}

fn each_second(control: &Control) {
    let shared = &control.shared;
    follow_clock(shared);
    let now = shared.clock.now();
    tell_expired(shared, &shared.decisions.expire(now));
    if let Err(error) = shared.decisions.flush_pending() {
        shared.log.error("mitigation-node", "decisions_not_durable").display("reason", error).send();
    }
    control.kill_switch.expire(shared, now);
    control.flush();
    let blocks = shared.decisions.current().count(DecisionKind::Block);
    let metrics = &shared.metrics;
    metrics.tick(Instant::now(), ProcessUsage::read());
    metrics.set(Reading::BlockedIps, blocks as u64);
    metrics.set(Reading::ConfigGeneration, shared.policy.load().generation);
    metrics.set(Reading::LogLinesDropped, shared.log.dropped());
    metrics.set(Reading::EventsDropped, shared.events.dropped());
    metrics.set(Reading::AccessLinesDropped, shared.ledgers.access.dropped());
    metrics.set(Reading::RecordsDropped, shared.ledgers.recorder.dropped());
    metrics.set(Reading::PanicMode, shared.kill_switch.strongest(now) as u64);
    shared.events.forget_before(Timestamp::now().before(control.view().settings.retention.events));
    if let Some(surge) = metrics.take_surge() {
        let line = shared.log.warn("mitigation-node", "high_traffic");
        line.u64("requests_per_second", surge.per_second)
            .u64("usual_per_second", surge.usual_per_second)
            .send();
    }
}

/// Where somebody set the machine's clock, decisions last as long as they were to last all the same.
fn follow_clock(shared: &Shared) {
    let Some(jumped) = shared.decisions.follow(&shared.clock, Clocks::take()) else { return };
    let mut reason = format!(
        "the clock was set {} s {}; decisions end after the time they were given",
        jumped.value.unsigned_abs() / 1000,
        if jumped.value > 0 { "forward" } else { "back" }
    );
    if let Some(why) = &jumped.not_durable {
        reason.push_str(&format!(" (not on the disk: {why})"));
    }
    shared.tell(Event::new(EventKind::Policy, "mitigation-node", "clock_jumped", reason));
}

fn tell_expired(shared: &Shared, expired: &Expired) {
    let tell = |event, reason| {
        shared.tell(Event::new(EventKind::Decision, "mitigation-node", event, reason));
    };
    for decision in &expired.decisions {
        let event = match (decision.kind, decision.confirm_by) {
            (_, Some(_)) => "block_unconfirmed",
            (DecisionKind::Block, None) => "block_expired",
            (DecisionKind::Allow, None) => "allow_expired",
        };
        tell(event, format!("{} {}", decision.id, decision.scope));
    }
    if expired.more != 0 {
        tell("decisions_expired", format!("{} more decisions have expired", expired.more));
    }
}
