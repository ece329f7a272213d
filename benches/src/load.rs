//! Closed-loop load by `wrk`: every connection asks again as soon as it is answered.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Serialize;
use tokio::process::Command;

use crate::Outcome;
use crate::process::Cores;

/// Reports what `wrk` counted as numbers instead of rounded prose.
const REPORT: &str = r#"done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("REPORT %d %d %d %d %d %d %d %d\n", summary.requests, summary.duration, summary.bytes,
    e.connect, e.read, e.write, e.status, e.timeout))
end
"#;

/// What the clients saw.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Load {
    /// Requests answered whole.
    pub requests: u64,
    /// How long it took.
    pub seconds: f64,
    /// Bytes received, heads and unfinished answers included.
    pub bytes: u64,
}

impl Load {
    /// Requests per second.
    pub fn rate(self) -> f64 {
        self.requests as f64 / self.seconds
    }

    /// The load, if its answers can have had bodies of `body` bytes.
    pub fn at_least(self, body: usize) -> Outcome<Self> {
        if self.bytes / self.requests >= body as u64 {
            return Ok(self);
        }
        Err(format!(
            "the answers are too short: {} bytes for {} requests, expected at least {body} each",
            self.bytes, self.requests
        ))
    }
}

/// The load generator.
#[derive(Debug)]
pub struct Wrk {
    script: PathBuf,
}

impl Wrk {
    /// Writes the report script into `dir`.
    pub fn new(dir: &Path) -> Outcome<Self> {
        let script = dir.join("report.lua");
        std::fs::write(&script, REPORT).map_err(|e| format!("writing {}: {e}", script.display()))?;
        Ok(Self { script })
    }

    /// Asks for `url` on `connections` keep-alive connections for `seconds`, from `cores`.
    /// Any socket error, timeout or status above 399 is an error: a figure with failures in it means nothing.
    pub async fn run(&self, cores: Cores, url: &str, connections: u32, seconds: u32) -> Outcome<Load> {
        let output = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "taskset", "-c", &cores.list(), "wrk", "-t1", "--timeout", "5s"])
            .args([format!("-c{connections}"), format!("-d{seconds}s")])
            .arg("-s")
            .arg(&self.script)
            .arg(url)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|e| format!("starting wrk (package wrk): {e}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        parse(&said).map_err(|e| {
            let errors = String::from_utf8_lossy(&output.stderr);
            format!("load on {url}: {e}; wrk ended with {} and said:\n{said}{errors}", output.status)
        })
    }
}

fn parse(said: &str) -> Outcome<Load> {
    let report = said.lines().find_map(|line| line.strip_prefix("REPORT ")).ok_or("wrk reported nothing")?;
    let numbers: Vec<u64> = report.split(' ').filter_map(|number| number.parse().ok()).collect();
    let &[requests, microseconds, bytes, connect, read, write, status, timeout] = numbers.as_slice() else {
        return Err(format!("wrk's report has {} numbers, expected 8: {report:?}", numbers.len()));
    };
    if requests == 0 {
        return Err("not one request was answered".into());
    }
    if connect + read + write + status + timeout > 0 {
        return Err(format!(
            "the run is void: {connect} connect, {read} read, {write} write errors, {status} answers above 399, \
             {timeout} timeouts"
        ));
    }
    Ok(Load { requests, seconds: microseconds as f64 / 1e6, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_report_is_read() {
        let said = "Running 2s test\nREPORT 1000 2000000 5 0 0 0 0 0\n";
        assert_eq!(parse(said).map(Load::rate), Ok(500.0));
    }

    #[test]
    fn a_single_failed_answer_voids_the_run() {
        let error = parse("REPORT 1000 2000000 5 0 0 0 1 0\n").unwrap_err();
        assert!(error.contains("1 answers above 399"), "{error}");
    }

    #[test]
    fn short_answers_are_no_answers() {
        let load = parse("REPORT 10 2000000 1600 0 0 0 0 0\n").unwrap();
        assert!(load.at_least(160).is_ok());
        assert!(load.at_least(161).is_err());
    }

    #[test]
    fn silence_is_an_error() {
        assert!(parse("unable to connect\n").is_err());
        assert!(parse("REPORT 0 2000000 0 0 0 0 0 0\n").is_err());
        assert!(parse("REPORT 1 2\n").is_err());
    }
}
