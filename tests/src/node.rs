//! A `mitigation-node` in a folder of its own, from start to kill.

use crate::client::Client;
use crate::message::Answer;
use crate::origin::Origin;
use crate::programs;
use crate::setup::Setup;
use crate::wait::{eventually, until};
use rustix::process::{Pid, Signal, kill_process};
use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;

/// How often a start is tried again where another program took its port.
const STARTS_MAX: usize = 5;

/// A node that runs, until it is dropped.
pub struct Node {
    /// What it was started with.
    pub setup: Setup,
    child: Child,
}

impl Node {
    /// A plain node before `origin`.
    #[track_caller]
    pub fn before(origin: &Origin) -> Self {
        Setup::before(origin).start()
    }

    /// Starts a node and waits until it is ready.
    #[track_caller]
    pub fn start(mut setup: Setup) -> Self {
        for _ in 0..STARTS_MAX {
            setup.write();
            let child = spawn(&setup);
            let mut node = Self { setup, child };
            match node.wait_until_ready() {
                Ok(()) => return node,
                Err(why) if why.contains("in use") => setup = node.into_setup(),
                Err(why) => panic!("the node does not start: {why}"),
            }
            setup.renew_ports();
        }
        panic!("no free port in {STARTS_MAX} starts");
    }

    /// Runs a node that is to end by itself: one that refuses to start, or only checks its configuration.
    pub fn run_to_end(setup: &Setup) -> Output {
        setup.write();
        command(setup).stdin(Stdio::null()).output().unwrap()
    }

    fn into_setup(mut self) -> Setup {
        let spare = Setup::before_address(self.setup.address);
        std::mem::replace(&mut self.setup, spare)
    }

    /// Waits until every worker takes connections; what it said last, where it ended before.
    fn wait_until_ready(&mut self) -> Result<(), String> {
        until("the node to be ready", || {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(Err(format!("{status}: {}", self.log())));
            }
            TcpStream::connect(self.setup.api).ok()?;
            (self.call("GET", "/readyz", "").status == 200).then_some(Ok(()))
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.setup.address
    }

    /// A connection to it.
    pub fn client(&self) -> Client {
        match self.setup.is_tls() {
            true => Client::connect_tls(self.setup.address).unwrap(),
            false => Client::connect(self.setup.address),
        }
    }

    /// `GET path` on a connection of its own.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.client().get(path)
    }

    /// Any whole request on a connection of its own.
    #[track_caller]
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        self.client().ask(request)
    }

    /// Changes a key of the configuration file; in force with the next reload.
    pub fn configure(&mut self, key: &str, value: impl Display) {
        self.setup.put(key, value);
        self.setup.write();
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, after it was killed or has ended, on its ports and with its folder.
    #[track_caller]
    pub fn start_again(&mut self) {
        // What its last life left on its ports is gone when nobody answers there.
        eventually("the ports to be free", || TcpStream::connect(self.setup.api).is_err());
        self.setup.write();
        self.child = spawn(&self.setup);
        self.wait_until_ready().unwrap();
    }

    /// Waits until it has ended.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        until("the node to end", || self.child.try_wait().unwrap())
    }

    /// All that it wrote to standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(self.setup.path("stderr.log")).unwrap_or_default()
    }

    /// Its resident memory, in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() << 10
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // One that has ended already cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- log of the node at {} ---\n{}", self.setup.address, self.log());
        }
    }
}

/// The command that starts a node: with nothing in its environment that the test did not put there.
pub fn command(setup: &Setup) -> Command {
    let program = programs::path("mitigation-node");
    let mut command = match setup.wrapper.split_first() {
        None => Command::new(program),
        Some((wrapper, arguments)) => {
            let mut command = Command::new(wrapper);
            command.args(arguments).arg(program);
            command
        }
    };
    command.arg(setup.config()).args(&setup.arguments).current_dir(setup.dir.path()).env_clear();
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.envs(setup.environment.iter().map(|(name, value)| (name, value)));
    command
}

fn spawn(setup: &Setup) -> Child {
    let log: File = OpenOptions::new().create(true).append(true).open(setup.path("stderr.log")).unwrap();
    command(setup)
        // Where the test ends, however it ends, the node sees its standard input end, and ends too.
        .arg("--stop-with-parent")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// Runs a shell command in `dir`, as a person would type it, and returns what it wrote.
pub fn shell(dir: &std::path::Path, line: &str) -> (bool, String) {
    let output = Command::new("bash").args(["-c", line]).current_dir(dir).output().unwrap();
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}
