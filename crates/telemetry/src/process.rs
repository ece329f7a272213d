//! Processor time and memory of this process.

use std::time::Duration;

/// What the process has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProcessUsage {
    /// Processor time of all threads since the start, in user and system mode.
    pub cpu: Duration,
    /// Resident memory in bytes; 0 where the system does not say.
    pub resident_bytes: u64,
}

impl ProcessUsage {
    /// Asks the system: `CLOCK_PROCESS_CPUTIME_ID` (POSIX.1-2024) and `/proc/self/statm` (proc_pid_statm(5)).
    pub fn read() -> Self {
        let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let pages = std::fs::read_to_string("/proc/self/statm")
            .ok()
            .and_then(|statm| statm.split_ascii_whitespace().nth(1)?.parse::<u64>().ok());
        ProcessUsage {
            cpu: Duration::new(cpu.tv_sec.try_into().unwrap_or(0), cpu.tv_nsec.try_into().unwrap_or(0)),
            resident_bytes: pages.unwrap_or(0).saturating_mul(rustix::param::page_size() as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_process_uses_memory_and_time() {
        let before = ProcessUsage::read();
        let mut work = vec![0u8; 64 << 20];
        work.iter_mut().enumerate().for_each(|(i, byte)| *byte = i as u8);
        let after = ProcessUsage::read();
        assert!(after.cpu > before.cpu);
        assert!(after.resident_bytes >= work.len() as u64);
    }
}
