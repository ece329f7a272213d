//! Children that cannot outlive the benchmark.
//!
//! Each leads a process group of its own, killed as a whole when its [`Group`] is dropped; should the
//! benchmark itself be killed, the kernel terminates the leader (`PR_SET_PDEATHSIG`, by `setpriv`).

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::Outcome;

/// How long a program may take until it accepts connections.
const START_SECONDS: u64 = 10;
/// How long it may take to end by itself.
const GRACE: Timespec = Timespec { tv_sec: 2, tv_nsec: 0 };

/// The cores a program may run on, as `taskset -c` takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cores {
    /// Core 0, alone with the proxy under test.
    Proxy,
    /// Core 1, shared by the client and the origin.
    Client,
    /// Every core: nothing is pinned.
    All,
}

impl Cores {
    /// The list `taskset -c` takes.
    pub fn list(self) -> String {
        match self {
            Self::Proxy => "0".into(),
            Self::Client => "1".into(),
            Self::All => format!("0-{}", all_cores().saturating_sub(1)),
        }
    }
}

/// The machine's cores.
pub fn all_cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).max(2)
}

/// A running program and all it has started; dropped, it is killed.
#[derive(Debug)]
pub struct Group {
    leader: Child,
    log: PathBuf,
}

impl Group {
    /// Starts `program` on `cores`, its output in `dir`/`name.log`.
    pub fn start(name: &str, cores: Cores, dir: &Path, program: &mut Command) -> Outcome<Self> {
        use std::os::unix::process::CommandExt;

        let log = dir.join(format!("{name}.log"));
        let output = File::create(&log).map_err(|e| format!("creating {}: {e}", log.display()))?;
        let errors = output.try_clone().map_err(|e| format!("sharing {}: {e}", log.display()))?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "taskset", "-c", &cores.list()]);
        command.arg(program.get_program()).args(program.get_args());
        for (key, value) in program.get_envs() {
            if let Some(value) = value {
                command.env(key, value);
            }
        }
        let leader =
            command.process_group(0).stdin(Stdio::null()).stdout(output).stderr(errors).spawn().map_err(
                |e| format!("starting {name} under setpriv and taskset (package util-linux): {e}"),
            )?;
        Ok(Self { leader, log })
    }

    /// The group's id, which is its leader's process id.
    pub fn id(&self) -> u32 {
        self.leader.id()
    }

    /// Waits until `port` on loopback accepts a connection, or says why the program never will.
    pub async fn accepts(&mut self, name: &str, port: u16) -> Outcome<()> {
        let deadline = Instant::now() + Duration::from_secs(START_SECONDS);
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if let Ok(Some(status)) = self.leader.try_wait() {
                return Err(format!("{name} stopped at its start ({status}); it said:\n{}", self.said()));
            }
            if Instant::now() > deadline {
                return Err(format!(
                    "{name} does not listen on 127.0.0.1:{port} after {START_SECONDS} s; it said:\n{}",
                    self.said()
                ));
            }
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// What the program has printed.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Group {
    /// Asks the leader to end, which lets nginx's master collect its workers, and waits a moment for it.
    fn ask_to_end(&self, leader: Pid) -> rustix::io::Result<()> {
        let ended = pidfd_open(leader, PidfdFlags::empty())?;
        kill_process(leader, Signal::TERM)?;
        poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&GRACE))?;
        Ok(())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = i32::try_from(self.leader.id()).ok().and_then(Pid::from_raw) {
            // Errors here mean that nothing is left of the group, which is what is wanted.
            let _ = self.ask_to_end(leader);
            let _ = kill_process_group(leader, Signal::KILL);
        }
        let _ = self.leader.wait();
    }
}

/// A port on loopback that nobody listens on.
pub fn free_port() -> Outcome<u16> {
    std::net::TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| format!("finding a free port on 127.0.0.1: {e}"))
}

/// Raises the number of files this process and its children may open as far as the system lets it.
pub fn open_many_files() {
    let limit = getrlimit(Resource::Nofile);
    // Where it is refused, the idle connections fail by name later; nothing else needs so many.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Lets this process, and what it starts from now on, run on `cores` alone.
pub fn stay_on(cores: Cores) -> Outcome<()> {
    let mut set = rustix::thread::CpuSet::new();
    match cores {
        Cores::Proxy => set.set(0),
        Cores::Client => set.set(1),
        Cores::All => (0..all_cores()).for_each(|core| set.set(core)),
    }
    rustix::thread::sched_setaffinity(None, &set)
        .map_err(|e| format!("pinning the client to core {}: {e}; two cores are needed", cores.list()))
}
