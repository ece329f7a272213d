//! Rows as Markdown: medians over the rounds, and only what was measured.

use std::fmt::Write;

use crate::idle::Idle;
use crate::peers::Peer;
use crate::rounds::{self, BUSY, Round, Series};
use crate::scenario::{Scenario, Size};
use crate::stats::{self, Estimate};
use crate::suite::Delays;

/// CPU, rate and memory under load: the header.
pub const CPU_HEADER: &str = "\
| workload | proxy | CPU-µs/request | user | kernel | CPU-µs/MiB | requests/s | RSS | CPU against the better rival |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
";

/// One line for each contender of a scenario.
pub fn cpu_lines(scenario: Scenario, all: &[Series]) -> String {
    all.iter().map(|series| cpu_line(scenario, series, all)).collect()
}

fn cpu_line(scenario: Scenario, series: &Series, all: &[Series]) -> String {
    let per_request = |part: fn(Round) -> f64| series.median(|r| part(r) / r.load.requests as f64);
    let cost = series.median(Round::cost_us);
    let per_mib = match scenario.size {
        Size::Small => "–".into(),
        size => format!("{:.0}", cost * f64::from(1 << 20) / size.bytes() as f64),
    };
    let rival = rounds::better_rival(all).map(|rival| rival.peer);
    format!(
        "| {} | {} | {cost:.1} | {:.1} | {:.1} | {per_mib} | {} | {} | {} |\n",
        label(scenario),
        series.peer,
        per_request(|r| r.cpu.user_us),
        per_request(|r| r.cpu.kernel_us),
        rate(series),
        mib(series.median(|r| r.rss as f64)),
        against(series.peer, rounds::ratio(series, all), rival),
    )
}

fn label(scenario: Scenario) -> String {
    format!("{} {}", scenario.scheme.label(), scenario.size.label())
}

fn against(peer: Peer, ratio: Option<Estimate>, rival: Option<Peer>) -> String {
    match (peer.is_rival(), ratio, rival) {
        (true, ..) => "–".into(),
        (_, Some(Estimate { median, low, high }), Some(rival)) => {
            format!("**{median:.2}** ({low:.2}–{high:.2}) × {rival}")
        }
        _ => "no rival was measured".into(),
    }
}

/// The rate, in parentheses where the proxy's core had time to spare: then it is the client's.
fn rate(series: &Series) -> String {
    let (rate, busy) = (series.median(|r| r.load.rate()), series.median(Round::busy));
    if busy >= BUSY { format!("{rate:.0}") } else { format!("({rate:.0} at {:.0} %)", busy * 100.0) }
}

/// Latency at a fixed rate.
pub fn latency(all: &[Delays]) -> String {
    let mut text = String::from(
        "| workload | through | requests/s | p50 µs | p99 µs | added p50 µs | added p99 µs | p99 against the better rival |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |\n",
    );
    for target in all {
        let same: Vec<&Delays> = all.iter().filter(|other| other.scenario == target.scenario).collect();
        let direct = same.iter().find(|other| other.peer.is_none());
        let added = |figure: fn(&_) -> f64| match (target.peer, direct) {
            (Some(_), Some(direct)) => format!("{:.0}", target.median(figure) - direct.median(figure)),
            _ => "–".into(),
        };
        let rival = same
            .iter()
            .filter(|other| other.peer.is_some_and(Peer::is_rival))
            .min_by(|a, b| a.median(|l| l.p99_us).total_cmp(&b.median(|l| l.p99_us)));
        let verdict = match (target.peer, rival) {
            (None, _) => "–".into(),
            (Some(_), Some(rival)) if rival.rate > target.rate => "at its own rate".into(),
            (Some(peer), _) => {
                let ratio =
                    rival.and_then(|r| stats::ratio(&target.figures(|l| l.p99_us), &r.figures(|l| l.p99_us)));
                against(peer, ratio, rival.and_then(|rival| rival.peer))
            }
        };
        let _ = writeln!(
            text,
            "| {} | {} | {:.0} | {:.0} | {:.0} | {} | {} | {verdict} |",
            label(target.scenario),
            target.peer.map_or("nothing: straight to the origin".into(), |peer| peer.to_string()),
            target.rate,
            target.median(|l| l.p50_us),
            target.median(|l| l.p99_us),
            added(|l| l.p50_us),
            added(|l| l.p99_us),
        );
    }
    text
}

/// Requests per second with every core, shared with client and origin.
pub fn all_cores(all: &[Series]) -> String {
    let mut text = String::from(
        "| proxy | requests/s | CPU-µs/request | cores the proxy used |\n| --- | ---: | ---: | ---: |\n",
    );
    for series in all {
        let _ = writeln!(
            text,
            "| {} | {:.0} | {:.1} | {:.2} |",
            series.peer,
            series.median(|r| r.load.rate()),
            series.median(Round::cost_us),
            series.median(Round::busy),
        );
    }
    text
}

/// Memory after the start and with idle connections.
pub fn idle(all: &[Idle]) -> String {
    let mut text = String::from(
        "| proxy | RSS after start | idle connections | RSS with them | bytes each, after the first tenth |\n\
         | --- | ---: | ---: | ---: | ---: |\n",
    );
    for idle in all {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {:.0} |",
            idle.peer,
            mib(idle.start as f64),
            idle.connections,
            mib(idle.full as f64),
            idle.per_connection(),
        );
    }
    text
}

/// Bytes as mebibytes.
pub fn mib(bytes: f64) -> String {
    format!("{:.1} MiB", bytes / f64::from(1 << 20))
}
