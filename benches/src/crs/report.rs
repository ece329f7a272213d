//! The section "The Core Rule Set": promise, figure, held; then every figure.

use std::fmt::Write;

use crate::crs::Results;
use crate::crs::memory::Memory;
use crate::crs::requests::Kind;
use crate::crs::ways::Way;
use crate::document;
use crate::stats::{self, Estimate, median, ratio};
use crate::table::mib;

/// Microseconds that a browser's GET may take at paranoia 1.
const GET_US: f64 = 15.0;
/// The share of ModSecurity's cost that it may take.
const GET_RATIO: f64 = 0.01;
/// Microseconds that a form of 20 fields may take.
const FORM_US: f64 = 65.0;
/// Microseconds that 950 arguments may take.
const ARGS_US: f64 = 5_000.0;
/// Paranoia 4 against paranoia 1.
const PARANOIA: f64 = 2.5;
/// Microseconds that a browser's GET may take with the rules that are shipped alone.
const SHIPPED_US: f64 = 4.0;
/// Milliseconds that the rules may take to be compiled.
const COMPILE_MS: f64 = 300.0;
/// Resident bytes of a node after all payloads.
const RSS: f64 = 80e6;
/// What the memory of a node may move by during the long run, bytes.
const ALLOWANCE: f64 = 2e6;

/// A line of the table of promises.
struct Line {
    promise: String,
    figure: String,
    held: &'static str,
}

/// Everything between the markers.
pub fn section(results: &Results) -> String {
    let plan = results.extent.plan;
    let mut text = format!(
        "{}Command: `secbeat-bench crs --rounds {} --seconds {} --transactions {}`. Each figure is the median of {} \
         interleaved rounds of {} s, with the bootstrap's 95 % interval.\n\n",
        document::measured(&results.date, &results.machine, results.others),
        plan.rounds,
        plan.seconds,
        results.extent.transactions,
        plan.rounds,
        plan.seconds,
    );
    let ours = results.machine.versions.iter().map(|(_, version)| version);
    for version in ours.chain(&results.versions) {
        let _ = writeln!(text, "- {version}");
    }
    text += "\n| promise | figure | held |\n| --- | --- | --- |\n";
    let mut lines = speed(results);
    lines.push(compile(results));
    lines.extend(results.memory.iter().flat_map(memory));
    for Line { promise, figure, held } in lines {
        let _ = writeln!(text, "| {promise} | {figure} | {held} |");
    }
    let _ = write!(text, "\n### What the firewall adds to a request\n\n{}", table(results));
    let _ = write!(text, "\n### Without it\n\n{}", bare(results));
    text
}

fn speed(results: &Results) -> Vec<Line> {
    let cells = &results.cells;
    let at_most = |kind: Kind, way: Way, promise: String, limit: f64| {
        let found = cells.added(kind, way);
        Line {
            promise,
            figure: found.map_or("not measured".into(), |found| format!("{} µs", interval(found, micros))),
            held: held(found, limit),
        }
    };
    let against = |promise: String, found: Option<Estimate>, limit: f64, digits: usize| Line {
        promise,
        figure: found
            .map_or("not measured".into(), |f| interval(f, |value| format!("{value:.digits$}")) + " ×"),
        held: held(found, limit),
    };
    let get = |way| cells.added_us(Kind::Get, way);
    let mut lines = vec![
        at_most(
            Kind::Get,
            Way::Crs(1),
            format!("{} at paranoia 1: ≤ {GET_US} µs", Kind::Get.label()),
            GET_US,
        ),
        against(
            format!("the same: ≤ {GET_RATIO} × ModSecurity"),
            cells.ratio(Kind::Get, Way::Crs(1), Way::ModSecurity(1)),
            GET_RATIO,
            4,
        ),
        at_most(
            Kind::Form,
            Way::Crs(1),
            format!("{} in 1.7 KB: ≤ {FORM_US} µs", Kind::Form.label()),
            FORM_US,
        ),
        at_most(
            Kind::Args,
            Way::Crs(1),
            format!("{} in 100 KB: ≤ {ARGS_US} µs", Kind::Args.label()),
            ARGS_US,
        ),
    ];
    for kind in fixed() {
        let ratio = ratio(&cells.added_us(kind, Way::Crs(4)), &cells.added_us(kind, Way::Crs(1)));
        let promise = format!("{}: paranoia 4 ≤ {PARANOIA} × paranoia 1", kind.label());
        lines.push(against(promise, ratio, PARANOIA, 2));
    }
    lines.push(at_most(
        Kind::Get,
        Way::Shipped,
        format!("{}, the shipped rules alone: ≤ {SHIPPED_US} µs", Kind::Get.label()),
        SHIPPED_US,
    ));
    let answers = ratio(&get(Way::CrsAnswers), &get(Way::ModSecurityAnswers));
    if let (Some(ours), Some(ratio)) = (cells.added(Kind::Get, Way::CrsAnswers), answers) {
        lines.push(Line {
            promise: "the same at paranoia 1 with the body of the answer, 160 bytes of HTML: no promise"
                .into(),
            figure: format!(
                "{} µs, {} × ModSecurity",
                interval(ours, micros),
                interval(ratio, |value| format!("{value:.4}"))
            ),
            held: "–",
        });
    }
    lines
}

fn compile(results: &Results) -> Line {
    let found = stats::estimate(&results.compile_ms);
    Line {
        promise: format!("the rules are read and compiled in ≤ {COMPILE_MS} ms"),
        figure: found.map_or("not measured".into(), |found| {
            format!(
                "{} ms more for `mitigation-node --validate-config`, {} turns",
                interval(found, |value| format!("{value:.0}")),
                results.compile_ms.len()
            )
        }),
        held: held(found, COMPILE_MS),
    }
}

fn memory(memory: &Memory) -> Vec<Line> {
    let mb = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let mut lines = vec![Line {
        promise: format!(
            "resident after all payloads of the corpora at paranoia {}: ≤ {} MB",
            memory.paranoia,
            RSS / 1e6
        ),
        figure: format!(
            "{} ({}); {} after the start; {} requests, {} of them stopped",
            mb(memory.payloads),
            mib(memory.payloads as f64),
            mb(memory.start),
            memory.requests,
            memory.stopped
        ),
        held: yes(memory.payloads as f64 <= RSS),
    }];
    if memory.transactions > 0 {
        let grown = memory.end as f64 - memory.payloads as f64;
        lines.push(Line {
            promise: format!(
                "no growth over {} transactions more, within {} MB",
                memory.transactions,
                ALLOWANCE / 1e6
            ),
            figure: format!("{:+.1} MB, to {}", grown / 1e6, mb(memory.end)),
            held: yes(grown <= ALLOWANCE),
        });
    }
    lines
}

/// One line for each kind and paranoia level.
fn table(results: &Results) -> String {
    let cells = &results.cells;
    let mut text = String::from(
        "| request | bytes | paranoia | SecBeat, CPU-µs | ModSecurity, CPU-µs | ratio |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for kind in Kind::ALL {
        for level in 1..=4 {
            let (ours, theirs) = (Way::Crs(level), Way::ModSecurity(level));
            let (Some(ours_us), Some(theirs_us)) = (cells.added(kind, ours), cells.added(kind, theirs))
            else {
                continue;
            };
            let ratio = cells.ratio(kind, ours, theirs);
            let _ = writeln!(
                text,
                "| {} | {} | {level} | {} | {} | {} |",
                kind.label(),
                kind.requests().first().map_or(0, Vec::len),
                interval(ours_us, micros),
                interval(theirs_us, micros),
                ratio.map_or("–".into(), |ratio| interval(ratio, |value| format!("{value:.4}"))),
            );
        }
        if let Some(shipped) = cells.added(kind, Way::Shipped) {
            let shipped = interval(shipped, micros);
            let bytes = kind.requests().first().map_or(0, Vec::len);
            let _ =
                writeln!(text, "| {} | {bytes} | shipped rules alone | {shipped} | – | – |", kind.label());
        }
    }
    text
}

/// What each proxy takes without a firewall.
fn bare(results: &Results) -> String {
    let mut text = String::from(
        "| request | SecBeat, CPU-µs | core busy | nginx, CPU-µs | core busy |\n| --- | ---: | ---: | ---: | ---: |\n",
    );
    for kind in Kind::ALL {
        let of = |way| {
            let cell = results.cells.of(kind, way)?;
            Some((stats::estimate(&cell.cost_us)?, median(&cell.busy) * 100.0))
        };
        if let (Some((ours, our_busy)), Some((theirs, their_busy))) = (of(Way::Secbeat), of(Way::Nginx)) {
            let (ours, theirs) = (interval(ours, micros), interval(theirs, micros));
            let _ = writeln!(
                text,
                "| {} | {ours} | {our_busy:.0} % | {theirs} | {their_busy:.0} % |",
                kind.label()
            );
        }
    }
    text
}

/// Kinds that are measured at every paranoia level.
fn fixed() -> impl Iterator<Item = Kind> {
    Kind::ALL.into_iter().filter(|kind| !kind.varies())
}

fn interval(of: Estimate, write: impl Fn(f64) -> String) -> String {
    format!("**{}** ({}–{})", write(of.median), write(of.low), write(of.high))
}

/// Microseconds, with as many digits as are worth reading.
fn micros(value: f64) -> String {
    if value.abs() < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

/// A promise is held when the upper bound holds it, and broken when the lower one breaks it.
fn held(found: Option<Estimate>, limit: f64) -> &'static str {
    match found {
        None => "–",
        Some(found) if found.high <= limit => "yes",
        Some(found) if found.low > limit => "no",
        Some(_) => "not shown: the interval spans it",
    }
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_held_by_the_whole_interval_alone() {
        let of = |low, high| Some(Estimate { median: (low + high) / 2.0, low, high });
        assert_eq!(held(of(10.0, 14.0), GET_US), "yes");
        assert_eq!(held(of(16.0, 20.0), GET_US), "no");
        assert!(held(of(14.0, 16.0), GET_US).starts_with("not shown"));
        assert_eq!(held(None, GET_US), "–");
    }

    #[test]
    fn costs_are_written_with_the_digits_that_are_known() {
        assert_eq!([9.87, 99.94, 1234.5].map(micros), ["9.9", "99.9", "1234"]);
    }
}
