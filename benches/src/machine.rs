//! Where the figures come from: machine, kernel, versions, and who else was using it.

use serde::Serialize;
use std::fs;

use crate::Outcome;
use crate::measure;
use crate::peers::Peer;
use crate::process::all_cores;

/// The machine and the programs.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Model name of the processor.
    pub processor: String,
    /// Cores that may be used.
    pub cores: usize,
    /// Memory, bytes.
    pub memory: u64,
    /// Release of the kernel.
    pub kernel: String,
    /// Of each peer that took part, by name.
    pub versions: Vec<(String, String)>,
}

impl Machine {
    /// Looks around.
    pub fn look(peers: &[Peer]) -> Outcome<Self> {
        let kernel = read("/proc/sys/kernel/osrelease")?.trim().to_owned();
        let memory = field(&read("/proc/meminfo")?, "MemTotal")
            .and_then(|value| value.split(' ').next()?.parse::<u64>().ok())
            .map_or(0, |kib| kib << 10);
        let processor =
            field(&read("/proc/cpuinfo")?, "model name").unwrap_or("unknown processor").to_owned();
        let versions =
            peers.iter().filter_map(|peer| Some((peer.to_string(), peer.version().ok()?))).collect();
        Ok(Self { processor, cores: all_cores(), memory, kernel, versions })
    }
}

/// Finds out how much of the machine others have used meanwhile: what they take, no proxy can have.
#[derive(Debug)]
pub struct Others {
    machine: Ticks,
    own: u64,
}

impl Others {
    /// Begins to watch.
    pub fn watch() -> Outcome<Self> {
        Ok(Self { machine: Ticks::read()?, own: measure::own_ticks()? })
    }

    /// The share of all cores (0 to 1) that was used since, and not by this process or by children of it that
    /// have ended: those still running count as others.
    pub fn share(&self) -> Outcome<f64> {
        let now = Ticks::read()?;
        let own = measure::own_ticks()? - self.own;
        let all = (now.all - self.machine.all).max(1);
        Ok(now.busy_since(self.machine).saturating_sub(own) as f64 / all as f64)
    }
}

/// Clock ticks of all cores since boot: the first line of `/proc/stat`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ticks {
    all: u64,
    idle: u64,
}

impl Ticks {
    fn read() -> Outcome<Self> {
        Self::parse(&read("/proc/stat")?).ok_or_else(|| "/proc/stat: no line of all cores".into())
    }

    /// user, nice, system, idle, iowait, irq, softirq, steal; what guests use is in user already.
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = line.split_ascii_whitespace().take(8).filter_map(|n| n.parse().ok()).collect();
        Some(Self { all: ticks.iter().sum(), idle: ticks.get(3)? + ticks.get(4)? })
    }

    fn busy_since(self, before: Self) -> u64 {
        (self.all - before.all).saturating_sub(self.idle - before.idle)
    }
}

fn read(path: &str) -> Outcome<String> {
    fs::read_to_string(path).map_err(|e| format!("reading {path}: {e}"))
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.trim() == name)
        .map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_neither_idle_nor_waiting_is_busy() {
        let before = Ticks::parse("cpu  10 0 10 70 10 0 0 0 5 0\ncpu0 1 2 3\n").unwrap();
        let after = Ticks::parse("cpu  20 5 15 130 30 0 0 0 9 0\n").unwrap();
        assert_eq!(before, Ticks { all: 100, idle: 80 });
        assert_eq!(after.busy_since(before), 20);
        assert_eq!(before.busy_since(before), 0);
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = "model\t\t: 85\nmodel name\t: Some CPU @ 2 GHz\n";
        assert_eq!(field(text, "model name"), Some("Some CPU @ 2 GHz"));
        assert_eq!(field(text, "flags"), None);
    }
}
