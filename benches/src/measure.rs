//! CPU time and memory of a process group, from `/proc` (proc(5)).

use std::fs;

use serde::Serialize;

use crate::Outcome;

/// CPU time that a process group has used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Cpu {
    /// In the program itself, microseconds.
    pub user_us: f64,
    /// In the kernel on its behalf, microseconds.
    pub kernel_us: f64,
}

impl Cpu {
    /// Both together, microseconds.
    pub fn total_us(self) -> f64 {
        self.user_us + self.kernel_us
    }

    /// What was used since `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self { user_us: self.user_us - earlier.user_us, kernel_us: self.kernel_us - earlier.kernel_us }
    }
}

/// CPU time of every process of `group`, all threads and the children already waited for.
/// The kernel counts in ticks of 10 ms, so a round of three seconds is exact to 0.3 %.
pub fn cpu(group: u32) -> Outcome<Cpu> {
    let tick_us = 1e6 / rustix::param::clock_ticks_per_second() as f64;
    let mut cpu = Cpu::default();
    for stat in members(group)? {
        cpu.user_us += (stat.user + stat.children_user) as f64 * tick_us;
        cpu.kernel_us += (stat.kernel + stat.children_kernel) as f64 * tick_us;
    }
    Ok(cpu)
}

/// Clock ticks that this process and the children it has waited for have used.
pub fn own_ticks() -> Outcome<u64> {
    let path = "/proc/self/stat";
    let text = fs::read_to_string(path).map_err(|e| format!("reading {path}: {e}"))?;
    let stat = Stat::parse(&text).ok_or_else(|| format!("{path} is not as proc(5) has it: {text}"))?;
    Ok(stat.user + stat.kernel + stat.children_user + stat.children_kernel)
}

/// Resident memory of `group`, bytes: the largest process whole, and of the others only what they do not
/// share, so that a program is not charged twice for what its processes have in common.
pub fn rss(group: u32) -> Outcome<u64> {
    let mut shares = Vec::new();
    for stat in members(group)? {
        let path = format!("/proc/{}/smaps_rollup", stat.pid);
        let text = fs::read_to_string(&path).map_err(|e| format!("reading {path}: {e}"))?;
        let private = kib(&text, "Private_Clean:") + kib(&text, "Private_Dirty:");
        shares.push((kib(&text, "Rss:") << 10, private << 10));
    }
    shares.sort_unstable();
    let largest = shares.pop().map_or(0, |(whole, _)| whole);
    Ok(largest + shares.iter().map(|(_, private)| private).sum::<u64>())
}

/// The fields of `/proc/PID/stat` that are read here; times in clock ticks.
#[derive(Debug, PartialEq)]
struct Stat {
    pid: u32,
    group: u32,
    user: u64,
    kernel: u64,
    children_user: u64,
    children_kernel: u64,
}

impl Stat {
    /// The second field, the program's name in parentheses, may hold anything: fields are counted from the
    /// last parenthesis.
    fn parse(text: &str) -> Option<Self> {
        let (head, tail) = text.rsplit_once(')')?;
        let fields: Vec<&str> = tail.split_ascii_whitespace().collect();
        let ticks = |field: usize| fields.get(field - 3)?.parse().ok();
        Some(Self {
            pid: head.split_ascii_whitespace().next()?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            user: ticks(14)?,
            kernel: ticks(15)?,
            children_user: ticks(16)?,
            children_kernel: ticks(17)?,
        })
    }
}

fn members(group: u32) -> Outcome<Vec<Stat>> {
    let processes = fs::read_dir("/proc").map_err(|e| format!("listing /proc: {e}"))?;
    let found: Vec<Stat> = processes
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(|first: char| first.is_ascii_digit()))
        // A process that ends between the listing and the reading is not a member any more.
        .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
        .filter_map(|text| Stat::parse(&text))
        .filter(|stat| stat.group == group)
        .collect();
    if found.is_empty() {
        return Err(format!("process group {group} is gone: the program under test has died"));
    }
    Ok(found)
}

fn kib(smaps: &str, name: &str) -> u64 {
    smaps
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_ascii_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_shift_the_fields() {
        let text = "42 (a) b (c) R 1 7 7 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 1 0 500 0 0";
        let expected =
            Stat { pid: 42, group: 7, user: 11, kernel: 22, children_user: 33, children_kernel: 44 };
        assert_eq!(Stat::parse(text), Some(expected));
    }

    #[test]
    fn a_cut_stat_line_is_no_process() {
        assert_eq!(Stat::parse("42 (nginx) R 1 7 7 0 -1"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn the_memory_and_time_of_this_very_process_are_seen() {
        let group = rustix::process::getpgrp().as_raw_nonzero().get().unsigned_abs();
        assert!(rss(group).unwrap() > 0);
        assert!(cpu(group).unwrap().total_us() >= 0.0);
    }

    #[test]
    fn a_line_of_smaps_is_read_by_its_name() {
        let text = "00400000-7ffd ---p 00000000 00:00 0  [rollup]\nRss:    5128 kB\nPrivate_Dirty:   12 kB\n";
        assert_eq!((kib(text, "Rss:"), kib(text, "Private_Dirty:"), kib(text, "Swap:")), (5128, 12, 0));
    }
}
