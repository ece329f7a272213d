//! Attempts to get out. What is tried runs in a process of its own, this test program started again: nothing of a sandbox can be
//! taken back.

use super::*;
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};

/// Names the folder that the process inside works in; where it is not set, nothing is tried.
const FOLDER: &str = "SECBEAT_TEST_SANDBOX";

fn run_inside(test: &str, folder: &Path) -> Output {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .output()
        .unwrap()
}

/// Runs the test inside, and returns the folder that it worked in, which is gone.
#[track_caller]
fn passes_inside(test: &str) -> PathBuf {
    let root = tempfile::tempdir().unwrap();
    for folder in ["config", "data", "outside"] {
        fs::create_dir(root.path().join(folder)).unwrap();
    }
    fs::write(root.path().join("config/node.toml"), "inside").unwrap();
    fs::write(root.path().join("outside/secret"), "secret").unwrap();
    let output = run_inside(&format!("sandbox::tests::{test}"), root.path());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    root.path().to_owned()
}

/// In the process inside: enters the sandbox of a node in the folder.
fn enter() -> Option<(PathBuf, Sandbox)> {
    let folder = PathBuf::from(env::var_os(FOLDER)?);
    match enter_in(&folder, true) {
        Ok(sandbox) => Some((folder, sandbox)),
        Err(failure) => panic!("{}", failure.message),
    }
}

fn enter_in(folder: &Path, required: bool) -> Result<Sandbox, Failure> {
    let mut settings = Settings::default();
    settings.server.data_dir = folder.join("data");
    settings.sandbox.required = required;
    Sandbox::enter(&folder.join("config/node.toml"), &settings, &[])
}

/// From now on this process runs on a kernel without these system calls.
fn take_away(calls: &[libc::c_long]) {
    let calls = calls.iter().map(|call| (*call, Vec::new())).collect();
    let answer = seccompiler::SeccompAction::Errno(libc::ENOSYS as u32);
    let target = env::consts::ARCH.try_into().unwrap();
    let filter =
        seccompiler::SeccompFilter::new(calls, seccompiler::SeccompAction::Allow, answer, target).unwrap();
    let program: seccompiler::BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter_all_threads(&program).unwrap();
}

#[test]
fn what_a_node_does_not_need_is_refused() {
    passes_inside("escapes");
}

#[test]
fn what_a_node_needs_works() {
    passes_inside("work");
}

#[test]
fn a_file_among_those_of_others_opens_none_of_theirs() {
    let folder = passes_inside("among_others");
    for number in 1..4 {
        fs::remove_file(among(&folder, number)).unwrap();
    }
}

/// A file of its own for each run, among those of others.
fn among(folder: &Path, number: u32) -> PathBuf {
    let run = folder.file_name().unwrap().to_string_lossy().into_owned();
    Path::new("/tmp").join(format!("secbeat-{run}-{number}"))
}

#[test]
#[ignore = "runs in a process of its own"]
fn among_others() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    let (config, log, of_others) = (among(&folder, 1), among(&folder, 2), among(&folder, 3));
    fs::write(&config, "inside").unwrap();
    fs::write(&of_others, "secret").unwrap();
    let mut settings = Settings::default();
    settings.server.data_dir = folder.join("data");
    settings.logging.file = Some(log.clone());
    let sandbox =
        Sandbox::enter(&config, &settings, &[]).unwrap_or_else(|failure| panic!("{}", failure.message));
    assert_eq!(sandbox.missing(), [SINGLE_FILES]);
    assert_eq!(sandbox.read(&config).unwrap(), "inside");
    OpenOptions::new().append(true).create(true).open(&log).unwrap().write_all(b"line").unwrap();
    refused("reading a file of others", File::open(&of_others));
    refused("writing a file of others", OpenOptions::new().append(true).open(&of_others));
    refused("a new file among those of others", File::create(among(&folder, 4)));
}

#[test]
fn a_kernel_without_landlock_leaves_the_rest_in_force_and_the_node_says_so() {
    passes_inside("without_landlock");
}

#[test]
fn a_kernel_without_seccomp_leaves_the_rest_in_force_and_the_node_says_so() {
    passes_inside("without_seccomp");
}

#[test]
#[ignore = "runs in a process of its own"]
fn without_landlock() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    take_away(&[
        libc::SYS_landlock_create_ruleset,
        libc::SYS_landlock_add_rule,
        libc::SYS_landlock_restrict_self,
    ]);
    let failure = enter_in(&folder, true).err().unwrap();
    assert!(failure.message.starts_with("sandbox.required: the kernel keeps the node from no file"));
    let sandbox = enter_in(&folder, false).unwrap_or_else(|failure| panic!("{}", failure.message));
    assert_eq!(sandbox.missing(), [NO_LANDLOCK]);
    assert_eq!(sandbox.read(&folder.join("outside/secret")).unwrap(), "secret");
    refused("bpf", call(libc::SYS_bpf, [0; 5]));
}

#[test]
#[ignore = "runs in a process of its own"]
fn without_seccomp() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    take_away(&[libc::SYS_seccomp]);
    let sandbox = enter_in(&folder, false).unwrap_or_else(|failure| panic!("{}", failure.message));
    assert_eq!(sandbox.missing(), [NO_SECCOMP]);
    refused("reading a file outside", File::open(folder.join("outside/secret")));
}

#[track_caller]
fn refused<T>(what: &str, outcome: io::Result<T>) {
    match outcome {
        Ok(_) => panic!("{what} is possible"),
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{what}: {error}"),
    }
}

/// Makes a system call.
#[allow(unsafe_code)]
fn call(number: libc::c_long, arguments: [libc::c_long; 5]) -> io::Result<libc::c_long> {
    let [a, b, c, d, e] = arguments;
    // SAFETY: the calls that are tried get no address but null: the kernel reads and writes nothing of ours.
    match unsafe { libc::syscall(number, a, b, c, d, e) } {
        -1 => Err(io::Error::last_os_error()),
        value => Ok(value),
    }
}

#[test]
#[ignore = "runs in a process of its own"]
fn escapes() {
    let Some((folder, sandbox)) = enter() else { return };
    let open = |path: &str| File::open(path);
    refused("reading passwords", open("/etc/shadow"));
    refused("reading a file outside", File::open(folder.join("outside/secret")));
    refused("listing a folder outside", fs::read_dir(folder.join("outside")));
    refused("reading through the data folder", File::open(folder.join("data/../outside/secret")));
    refused("writing outside", File::create(folder.join("outside/new")));
    refused(
        "writing the configuration",
        OpenOptions::new().append(true).open(folder.join("config/node.toml")),
    );
    refused("removing the configuration", fs::remove_file(folder.join("config/node.toml")));
    refused("truncating a file outside", call_truncate(&folder.join("outside/secret")));
    let told = sandbox.read(&folder.join("outside/secret")).unwrap_err().to_string();
    assert!(told.contains("sandbox.read_paths") && told.contains("since its start"), "{told}");

    refused("starting a shell", Command::new("/bin/sh").arg("-c").arg("true").status());
    let none = [0; 5];
    let flag = |flag: i32| libc::c_long::from(flag);
    refused("a process", call(libc::SYS_clone, [flag(libc::SIGCHLD), 0, 0, 0, 0]));
    #[cfg(target_arch = "x86_64")]
    refused("fork", call(libc::SYS_fork, none));
    let clone3 = call(libc::SYS_clone3, none).unwrap_err();
    assert_eq!(clone3.raw_os_error(), Some(libc::ENOSYS));
    refused("execve", call(libc::SYS_execve, none));
    refused("ptrace", call(libc::SYS_ptrace, [flag(libc::PTRACE_TRACEME as i32), 0, 0, 0, 0]));
    refused("reading another process", call(libc::SYS_process_vm_readv, [1, 0, 0, 0, 0]));
    refused("a user namespace", call(libc::SYS_unshare, [flag(libc::CLONE_NEWUSER), 0, 0, 0, 0]));
    refused("another namespace", call(libc::SYS_setns, none));
    refused("mount", call(libc::SYS_mount, none));
    refused("chroot", call(libc::SYS_chroot, none));
    refused("bpf", call(libc::SYS_bpf, none));
    refused("io_uring", call(libc::SYS_io_uring_setup, none));
    refused("perf", call(libc::SYS_perf_event_open, none));
    refused("userfaultfd", call(libc::SYS_userfaultfd, none));
    refused("a key", call(libc::SYS_keyctl, none));
    refused("a module", call(libc::SYS_init_module, none));
    refused("another user", call(libc::SYS_setuid, none));
    refused("a file by its number", call(libc::SYS_open_by_handle_at, none));
    let socket = |family: i32, kind: i32, protocol: i32| {
        call(libc::SYS_socket, [flag(family), flag(kind), flag(protocol), 0, 0])
    };
    refused("a raw socket", socket(libc::AF_INET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::IPPROTO_ICMP));
    refused("a way to other programs", socket(libc::AF_UNIX, libc::SOCK_STREAM, 0));
    refused("a packet socket", socket(libc::AF_PACKET, libc::SOCK_DGRAM, 0));
    refused("an old packet socket", socket(libc::AF_INET, 10, 0));
    refused("a crypto socket", socket(libc::AF_ALG, libc::SOCK_SEQPACKET, 0));
    refused("the firewall of the kernel", socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_NETFILTER));
    refused("typing", call(libc::SYS_ioctl, [0, libc::TIOCSTI as libc::c_long, 0, 0, 0]));
    let code = flag(libc::PROT_READ | libc::PROT_EXEC);
    let memory = flag(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    refused("new code", call(libc::SYS_mmap, [0, 4096, code, memory, -1]));
    refused("code made of data", call(libc::SYS_mprotect, [0, 4096, code, 0, 0]));
    // The number of execve in the x32 ABI.
    #[cfg(target_arch = "x86_64")]
    assert_eq!(call(0x4000_0000 | 520, none).unwrap_err().raw_os_error(), Some(libc::ENOSYS));
    refused("a signal to another program", call(libc::SYS_kill, [parent(), 0, 0, 0, 0]));

    // All threads are bound, those that were there before as well: this one is not the first.
    let status = fs::read_to_string("/proc/self/status").unwrap();
    assert!(status.contains("NoNewPrivs:\t1") && status.contains("Seccomp:\t2"), "{status}");
    let one_more = thread::spawn(move || File::open("/etc/shadow").map(drop));
    refused("reading passwords in a new thread", one_more.join().unwrap());
}

fn parent() -> libc::c_long {
    rustix::process::getppid().map_or(1, |parent| parent.as_raw_nonzero().get().into())
}

fn call_truncate(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).truncate(true).open(path).map(drop)
}

#[test]
#[ignore = "runs in a process of its own"]
fn work() {
    let Some((folder, sandbox)) = enter() else { return };
    assert_eq!(sandbox.missing(), []);
    assert_eq!(sandbox.read(&folder.join("config/node.toml")).unwrap(), "inside");
    let data = folder.join("data");
    crate::storage::replace(&data.join("rules.json"), b"{}", crate::storage::Audience::Owner).unwrap();
    crate::storage::replace(&data.join("new/rules.json"), b"{}", crate::storage::Audience::Owner).unwrap();
    let mut log = OpenOptions::new().append(true).create(true).open(data.join("log")).unwrap();
    log.write_all(b"line").unwrap();
    fs::rename(data.join("log"), data.join("log.1")).unwrap();
    assert_eq!(thread::spawn(|| 7).join().unwrap(), 7);
    assert_ne!(crate::secrets::random::<16>().unwrap(), [0; 16]);
    File::open("/dev/urandom").unwrap();
    let addresses: Vec<_> = ("localhost", 80).to_socket_addrs().unwrap().collect();
    assert!(addresses.iter().all(|address| address.ip().is_loopback()) && !addresses.is_empty());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let both = tokio::join!(listener.accept(), tokio::net::TcpStream::connect(address));
        assert!(both.0.is_ok() && both.1.is_ok());
        assert_eq!(tokio::task::spawn_blocking(|| 7).await.unwrap(), 7);
    });
    assert!(secbeat_telemetry::ProcessUsage::read().resident_bytes > 0);
}
