//! What is to be done again and again.

use crate::control::Control;
use secbeat_intel::{Expired, Reading as Clocks};
use secbeat_l7::Shared;
use secbeat_telemetry::ProcessUsage;
use secbeat_telemetry::metrics::Reading;
use secbeat_types::{DecisionKind, Event, EventKind, Timestamp};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// What is to be done each second, and a little oftener.
pub async fn keep_time(control: Arc<Control>) {
    let shared = &control.shared;
    let mut interval = tokio::time::interval(Duration::from_millis(200));
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut second, mut writing): (Option<JoinHandle<()>>, Option<JoinHandle<()>>) = (None, None);
    for count in 0_u64.. {
        interval.tick().await;
        shared.events.drain();
        // A write that waits for the disk holds up neither calls nor events, and the next second waits for it.
        if count % 5 == 0 && second.as_ref().is_none_or(JoinHandle::is_finished) {
            let control = control.clone();
            second = Some(tokio::task::spawn_blocking(move || each_second(&control)));
        }
        // Nor does a disk that hangs hold up what each second is for.
        if count % 5 == 0 && writing.as_ref().is_none_or(JoinHandle::is_finished) {
            let control = control.clone();
            writing = Some(tokio::task::spawn_blocking(move || write_again(&control)));
        }
        if count % (5 * 3600) == 0 {
            let now = u64::try_from(shared.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            shared.rates.sweep(now);
        }
    }
}

fn each_second(control: &Control) {
    let shared = &control.shared;
    follow_clock(control);
    let now = shared.clock.now();
    tell_expired(shared, &shared.decisions.expire(now));
    control.kill_switch.expire(shared, now);
    control.drop_retired();
    let blocks = shared.decisions.current().count(DecisionKind::Block);
    let metrics = &shared.metrics;
    metrics.tick(Instant::now(), ProcessUsage::read());
    metrics.set(Reading::BlockedIps, blocks as u64);
    metrics.set(Reading::ConfigGeneration, shared.policy.load().generation);
    metrics.set(Reading::LogLinesDropped, shared.log.dropped());
    metrics.set(Reading::EventsDropped, shared.events.dropped());
    metrics.set(Reading::AccessLinesDropped, shared.ledgers.access.dropped());
    metrics.set(Reading::AuditLinesDropped, shared.ledgers.audit.dropped());
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

/// Makes good what the disk refused.
fn write_again(control: &Control) {
    let shared = &control.shared;
    if let Err(error) = shared.decisions.flush_pending() {
        let line = match shared.decisions.is_durable() {
            true => shared.log.warn("mitigation-node", "journal_not_compacted"),
            false => shared.log.error("mitigation-node", "decisions_not_durable"),
        };
        line.display("reason", error).send();
    }
    if let Err(error) = control.kill_switch.save(shared) {
        shared.log.error("mitigation-node", "panic_not_durable").display("reason", error).send();
    }
    control.prune_exceptions(shared.clock.now());
    control.flush();
}

/// Where somebody set the machine's clock, decisions and the kill switch last as long as they were to last all the same. Whatever is
/// seen between the two moves lasts longer, not shorter.
fn follow_clock(control: &Control) {
    let shared = &control.shared;
    let reading = Clocks::take();
    let Some(jump) = shared.clock.jump(reading) else { return };
    if jump > 0 {
        control.kill_switch.shift(shared, jump);
    }
    let followed = shared.decisions.follow(&shared.clock, reading);
    if jump < 0 {
        control.kill_switch.shift(shared, jump);
    }
    let Some(jumped) = followed else { return };
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
