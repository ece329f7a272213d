//! The tables of `docs/benchmarks.md`, between two markers; the prose around them is people's.

use std::fmt::Write;
use std::fs;

use serde::Serialize;

use crate::Outcome;
use crate::machine::Machine;
use crate::suite::{LOAD, Results};
use crate::table;

const DOCUMENT: &str = "docs/benchmarks.md";
const RAW: &str = "target/bench";

/// Puts the tables of the comparison into the document and the raw results beside the build.
pub fn write(results: &Results) -> Outcome<()> {
    raw("results", results)?;
    put("bench", &section(results))
}

/// Writes `results` as JSON beside the build, under `name`.
pub fn raw(name: &str, results: &impl Serialize) -> Outcome<()> {
    let raw =
        serde_json::to_string_pretty(results).map_err(|e| format!("writing the results as JSON: {e}"))?;
    fs::create_dir_all(RAW).map_err(|e| format!("creating {RAW}: {e}"))?;
    let path = format!("{RAW}/{name}.json");
    fs::write(&path, raw).map_err(|e| format!("writing {path}: {e}"))?;
    eprintln!("wrote {path}");
    Ok(())
}

/// Puts `section` between the document's markers of `suite`; what other suites have written stays.
pub fn put(suite: &str, section: &str) -> Outcome<()> {
    let old = fs::read_to_string(DOCUMENT).map_err(|e| format!("reading {DOCUMENT}: {e}"))?;
    let new = replace(&old, suite, section).ok_or_else(|| {
        let [begin, end] = markers(suite);
        format!("{DOCUMENT} lacks its markers: expected a line {begin:?}, then one {end:?}")
    })?;
    fs::write(DOCUMENT, new).map_err(|e| format!("writing {DOCUMENT}: {e}"))?;
    eprintln!("wrote {DOCUMENT}");
    Ok(())
}

/// Everything between the markers.
pub fn section(results: &Results) -> String {
    let (machine, plan) = (&results.machine, results.plan);
    let mut text = format!(
        "{}Command: `secbeat-bench run --rounds {} --seconds {}`. Each figure is the median of {} interleaved rounds of \
         {} s.\n\n",
        measured(&results.date, machine, results.others),
        plan.rounds,
        plan.seconds,
        plan.rounds,
        plan.seconds,
    );
    for (peer, version) in &machine.versions {
        let _ = writeln!(text, "- {peer}: {version}");
    }
    for missing in &results.missing {
        let _ = writeln!(text, "- **{missing}**");
    }
    let cpu: String =
        results.loads.iter().map(|load| table::cpu_lines(load.scenario, &load.series)).collect();
    let parts = [
        ("One core: CPU, rate, memory", table::CPU_HEADER.to_owned() + &cpu),
        (
            &format!("Latency at {:.0} % of the slowest one's rate", LOAD * 100.0),
            table::latency(&results.latencies),
        ),
        ("Every core, shared with client and origin: HTTP 160 B", table::all_cores(&results.all_cores)),
        ("Idle keep-alive connections, plain HTTP, one worker", table::idle(&results.idle)),
    ];
    for (title, table) in parts {
        let _ = write!(text, "\n### {title}\n\n{table}");
    }
    text
}

/// The line that says when and where; `others` is the share of all cores that others used meanwhile.
pub fn measured(date: &str, machine: &Machine, others: f64) -> String {
    format!(
        "Measured {date} on {} cores of {} with {:.0} GiB, Linux {}; others used {:.0} % of it meanwhile.\n",
        machine.cores,
        machine.processor,
        machine.memory as f64 / f64::from(1 << 30),
        machine.kernel,
        others * 100.0,
    )
}

fn markers(suite: &str) -> [String; 2] {
    [format!("<!-- {suite}:begin -->\n"), format!("<!-- {suite}:end -->")]
}

/// `document` with `section` between the markers of `suite`; `None` where they are not there, in their order.
fn replace(document: &str, suite: &str, section: &str) -> Option<String> {
    let [begin, end] = markers(suite);
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{}\n\n{end}{after}", section.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_between_the_markers_is_replaced() {
        let [begin, end] = markers("bench");
        let other = "<!-- steering:begin -->\nother table\n<!-- steering:end -->";
        let old = format!("# Title\n{begin}old table\n{end}\nprose\n{other}\n");
        let new = replace(&old, "bench", "| new |\n").unwrap();
        assert_eq!(new, format!("# Title\n{begin}\n| new |\n\n{end}\nprose\n{other}\n"));
        assert_eq!(replace(&new, "bench", "| new |\n"), Some(new.clone()), "twice is as good as once");
    }

    #[test]
    fn a_document_without_markers_is_left_alone() {
        let [begin, end] = markers("bench");
        assert_eq!(replace("# Title\n", "bench", "x"), None);
        assert_eq!(replace(&format!("{end}{begin}"), "bench", "x"), None);
        assert_eq!(replace(&format!("{begin}{end}"), "steering", "x"), None);
    }
}
