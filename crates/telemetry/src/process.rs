//! Processor time and memory of this process.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;
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
        let pages = statm().and_then(|statm| statm.split_ascii_whitespace().nth(1)?.parse::<u64>().ok());
        ProcessUsage {
            cpu: Duration::new(cpu.tv_sec.try_into().unwrap_or(0), cpu.tv_nsec.try_into().unwrap_or(0)),
            resident_bytes: pages.unwrap_or(0).saturating_mul(rustix::param::page_size() as u64),
        }
    }
}

/// The text of the file, which is opened once: a sandbox may keep the process from opening it again.
fn statm() -> Option<String> {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    let file = FILE.get_or_init(|| File::open("/proc/self/statm").ok()).as_ref()?;
    let mut text = [0; 256];
    let length = file.read_at(&mut text, 0).ok()?;
    String::from_utf8(text.get(..length)?.to_vec()).ok()
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
