//! The tables of `docs/benchmarks.md`.

use crate::rounds::{self, BUSY, Round, Series};
use crate::scenario::{Scenario, Size};

/// The header of a comparison by CPU.
pub const CPU_HEADER: &str = "\
| scenario | proxy | CPU-µs/request | user | kernel | CPU-µs/MiB | requests/s | RSS | against the better rival |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
";

/// One line for each contender of a scenario: medians over its rounds.
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
    let ratio = match rounds::ratio(series, all) {
        _ if series.peer.is_rival() => "–".into(),
        None => "no rival was measured".into(),
        Some(ratio) => {
            let rival = rounds::better_rival(all).map(|rival| rival.peer.to_string()).unwrap_or_default();
            format!("**{:.2}** ({:.2}–{:.2}) × {rival}", ratio.median, ratio.low, ratio.high)
        }
    };
    format!(
        "| {scenario} | {} | {cost:.1} | {:.1} | {:.1} | {per_mib} | {} | {} | {ratio} |\n",
        series.peer,
        per_request(|r| r.cpu.user_us),
        per_request(|r| r.cpu.kernel_us),
        rate(series),
        mib(series.median(|r| r.rss as f64)),
    )
}

/// The rate, in parentheses where the proxy's core had time to spare: then it is the client's.
fn rate(series: &Series) -> String {
    let (rate, busy) = (series.median(|r| r.load.rate()), series.median(Round::busy));
    if busy >= BUSY { format!("{rate:.0}") } else { format!("({rate:.0} at {:.0} %)", busy * 100.0) }
}

/// Bytes as mebibytes.
pub fn mib(bytes: f64) -> String {
    format!("{:.1} MiB", bytes / f64::from(1 << 20))
}
