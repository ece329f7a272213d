//! The section "Steering": promise, figure, held.

use std::fmt::Write;

use crate::document;
use crate::stats::{self, Estimate, median, quantile};
use crate::steering::Results;
use crate::steering::clients::{CEILING, Crowd};
use crate::table::mib;

/// CPU with everything in place, against nothing.
const COST: f64 = 1.03;
/// Seconds until a node with a journal of a million decisions is ready.
const START_S: f64 = 2.0;
/// What else than the tables may move a node's memory meanwhile, bytes.
const ALLOWANCE: u64 = 1 << 20;
/// How far a count may be off, as a share.
const COUNTS: f64 = 0.01;
/// Milliseconds of the slowest of a hundred calls.
const CALL_MS: f64 = 500.0;
/// Milliseconds until the kill switch is in force.
const SWITCH_MS: f64 = 1000.0;

/// A line of the table.
struct Line {
    promise: String,
    figure: String,
    held: &'static str,
}

/// Everything between the markers.
pub fn section(results: &Results) -> String {
    let extent = &results.extent;
    let mut text = format!(
        "{}Command: `secbeat-bench steering --rounds {} --seconds {} --clients {}`.\n\n",
        document::measured(&results.date, &results.machine, results.others),
        extent.plan.rounds,
        extent.plan.seconds,
        extent.clients,
    );
    for (_, version) in &results.machine.versions {
        let _ = writeln!(text, "- {version}");
    }
    text += "\n| promise | figure | held |\n| --- | --- | --- |\n";
    let mut lines = filled(results);
    lines.extend(results.crowds.iter().flat_map(crowd));
    lines.extend(calls(results));
    lines.extend(turns(results));
    lines.extend(recording(results));
    for Line { promise, figure, held } in lines {
        let _ = writeln!(text, "| {promise} | {figure} | {held} |");
    }
    text
}

fn filled(results: &Results) -> Vec<Line> {
    let (filled, extent) = (&results.filled, &results.extent);
    let start_s = worst(&filled.filled_start_s);
    let each = (median(&filled.filled_rss) - median(&filled.empty_rss)) / f64::from(extent.decisions);
    vec![
        Line {
            promise: format!(
                "{} exceptions and {} decisions in place: a small plain keep-alive request costs ≤ {COST} × the CPU",
                number(extent.exceptions),
                number(extent.decisions)
            ),
            figure: compared(filled.ratio(), &filled.filled_us, &filled.empty_us),
            held: filled.ratio().map_or("–", |ratio| held_by_interval(ratio, COST)),
        },
        Line {
            promise: format!(
                "ready ≤ {START_S:.0} s after exec with the journal of {} decisions",
                number(extent.decisions)
            ),
            figure: format!(
                "{start_s:.2} s at the worst of {} starts, {:.2} s at the median; without a journal {:.2} s",
                filled.filled_start_s.len(),
                median(&filled.filled_start_s),
                median(&filled.empty_start_s)
            ),
            held: held(start_s <= START_S),
        },
        Line {
            promise: "memory of a decision: no promise".into(),
            figure: format!(
                "{each:.0} bytes of RSS each: {} with them, {} without",
                mib(median(&filled.filled_rss)),
                mib(median(&filled.empty_rss))
            ),
            held: "–",
        },
    ]
}

fn crowd(crowd: &Crowd) -> Vec<Line> {
    let clients = number(crowd.clients);
    let grown = crowd.rss_after as f64 - crowd.rss_before as f64;
    let errors: Vec<f64> = crowd.kept.iter().map(|kept| kept.error()).collect();
    let off = worst(&errors);
    let asked: u64 = crowd.kept.iter().map(|kept| kept.asked).sum();
    vec![
        Line {
            promise: format!(
                "{clients} clients raise memory by ≤ {}, the tables of two limits, and {} for all else",
                mib(CEILING as f64),
                mib(ALLOWANCE as f64)
            ),
            figure: format!(
                "{} more: {} before, {} after {:.0} s at {:.0} new clients/s",
                mib(grown),
                mib(crowd.rss_before as f64),
                mib(crowd.rss_after as f64),
                crowd.seconds,
                f64::from(crowd.clients) / crowd.seconds
            ),
            held: held(grown <= (CEILING + ALLOWANCE) as f64),
        },
        Line {
            promise: format!(
                "among them {} clients who ask more than they may pass as often as they may, within {:.0} %",
                crowd.kept.len(),
                COUNTS * 100.0
            ),
            figure: format!(
                "the worst is off by {:.2} %, {} of {} are exact; {} requests; {} of the crowd were refused",
                off * 100.0,
                errors.iter().filter(|error| **error == 0.0).count(),
                errors.len(),
                asked,
                crowd.refused
            ),
            held: held(off <= COUNTS),
        },
    ]
}

fn calls(results: &Results) -> Vec<Line> {
    let calls = &results.calls;
    let line = |(name, took): &(&str, Vec<f64>)| Line {
        promise: format!("`{name}` while every core is busy: p99 ≤ {CALL_MS:.0} ms"),
        figure: format!(
            "p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms of {} calls, beside {:.0} requests/s on {:.2} cores",
            quantile(took, 0.5),
            quantile(took, 0.99),
            worst(took),
            took.len(),
            calls.rate,
            calls.busy
        ),
        held: held(quantile(took, 0.99) <= CALL_MS),
    };
    calls.calls.iter().map(line).collect()
}

fn turns(results: &Results) -> Vec<Line> {
    let turns = &results.turns;
    let last = worst(&turns.last_stopped_ms);
    let figure = |of: &[f64]| format!("{:.1} ms (at most {:.1})", median(of), worst(of));
    vec![Line {
        promise: format!(
            "the kill switch is in force in ≤ {:.0} s while every core is busy",
            SWITCH_MS / 1e3
        ),
        figure: format!(
            "first request let through after {}, last one stopped after {}, call answered after {}; {} turns",
            figure(&turns.first_passed_ms),
            figure(&turns.last_stopped_ms),
            figure(&turns.answered_ms),
            turns.last_stopped_ms.len()
        ),
        held: held(last.max(worst(&turns.first_passed_ms)) <= SWITCH_MS),
    }]
}

fn recording(results: &Results) -> Vec<Line> {
    let recording = &results.recording;
    let line = |what: &str, cost: &[f64]| Line {
        promise: format!("CPU of a small request with {what} on, against off: no promise"),
        figure: compared(stats::ratio(cost, &recording.neither_us), cost, &recording.neither_us),
        held: "–",
    };
    let recorder = line("the recorder", &recording.recorder_us);
    let mut log = line("the access log (JSON)", &recording.access_log_us);
    let lost = recording.lost as f64 / recording.logged.max(1) as f64 * 100.0;
    let _ = write!(log.figure, "; {lost:.2} % of {} lines lost", recording.logged);
    vec![recorder, log]
}

fn compared(ratio: Option<Estimate>, ours: &[f64], theirs: &[f64]) -> String {
    let Some(Estimate { median: ratio, low, high }) = ratio else { return "nothing was measured".into() };
    let rounds = ours.len();
    format!(
        "**{ratio:.3}** ({low:.3}–{high:.3}) ×: {:.2} against {:.2} µs, {rounds} rounds",
        median(ours),
        median(theirs)
    )
}

/// A promise is held when the upper bound holds it, and broken when the lower one breaks it.
fn held_by_interval(ratio: Estimate, promise: f64) -> &'static str {
    match (ratio.high <= promise, ratio.low > promise) {
        (true, _) => "yes",
        (_, true) => "no",
        _ => "not shown: the interval spans it",
    }
}

fn held(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

fn worst(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// 1234567 as 1,234,567.
fn number(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([7, 1234, 10_000_000].map(number), ["7", "1,234", "10,000,000"]);
    }

    #[test]
    fn a_promise_is_held_by_the_whole_interval_alone() {
        let ratio = |low, high| Estimate { median: (low + high) / 2.0, low, high };
        assert_eq!(held_by_interval(ratio(0.99, 1.02), 1.03), "yes");
        assert_eq!(held_by_interval(ratio(1.04, 1.06), 1.03), "no");
        assert!(held_by_interval(ratio(1.00, 1.06), 1.03).starts_with("not shown"));
    }
}
