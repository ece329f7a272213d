//! The tables of `docs/benchmarks.md`, between two markers; the prose around them is people's.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::Outcome;
use crate::suite::{LOAD, Results};
use crate::table;

const DOCUMENT: &str = "docs/benchmarks.md";
const RAW: &str = "target/bench/results.json";
const BEGIN: &str = "<!-- bench:begin -->\n";
const END: &str = "<!-- bench:end -->";

/// Puts the tables into the document and the raw results beside the build.
pub fn write(results: &Results) -> Outcome<()> {
    let raw =
        serde_json::to_string_pretty(results).map_err(|e| format!("writing the results as JSON: {e}"))?;
    if let Some(folder) = Path::new(RAW).parent() {
        fs::create_dir_all(folder).map_err(|e| format!("creating {}: {e}", folder.display()))?;
    }
    fs::write(RAW, raw).map_err(|e| format!("writing {RAW}: {e}"))?;
    let old = fs::read_to_string(DOCUMENT).map_err(|e| format!("reading {DOCUMENT}: {e}"))?;
    let new = replace(&old, &section(results)).ok_or_else(|| {
        format!("{DOCUMENT} lacks its markers: expected a line {BEGIN:?}, then one {END:?}")
    })?;
    fs::write(DOCUMENT, new).map_err(|e| format!("writing {DOCUMENT}: {e}"))?;
    eprintln!("wrote {DOCUMENT} and {RAW}");
    Ok(())
}

/// Everything between the markers.
pub fn section(results: &Results) -> String {
    let (machine, plan) = (&results.machine, results.plan);
    let mut text = format!(
        "Measured {} on {} cores of {} with {:.0} GiB, Linux {}; others used {:.0} % of it meanwhile.\n\
         Command: `secbeat-bench run --rounds {} --seconds {}`. Each figure is the median of {} interleaved rounds of \
         {} s.\n\n",
        results.date,
        machine.cores,
        machine.processor,
        machine.memory as f64 / f64::from(1 << 30),
        machine.kernel,
        results.others * 100.0,
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

/// `document` with `section` between its markers; `None` where they are not there, in their order.
fn replace(document: &str, section: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n\n{END}{after}", section.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_between_the_markers_is_replaced() {
        let old = format!("# Title\n{BEGIN}old table\n{END}\nprose\n");
        let new = replace(&old, "| new |\n").unwrap();
        assert_eq!(new, format!("# Title\n{BEGIN}\n| new |\n\n{END}\nprose\n"));
        assert_eq!(replace(&new, "| new |\n"), Some(new.clone()), "twice is as good as once");
    }

    #[test]
    fn a_document_without_markers_is_left_alone() {
        assert_eq!(replace("# Title\n", "x"), None);
        assert_eq!(replace(&format!("{END}{BEGIN}"), "x"), None);
    }
}
