//! No system calls that a proxy never makes (seccomp(2)). They fail with `EPERM`, in all threads, for good.
//!
//! It is a list of what is denied, not of what is allowed: what the C library, the runtime and the allocator call differs from
//! version to version, and a call that is missing from a list of what is allowed is a site that is down. The list is that of
//! systemd's `~@privileged @debug @mount @module @obsolete @reboot @swap @raw-io @clock @cpu-emulation @keyring` and of container
//! runtimes, with programs, processes, code and raw sockets added.

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen as Width, SeccompCmpOp as Is, SeccompCondition,
    SeccompFilter, SeccompRule, apply_filter_all_threads,
};
use std::collections::BTreeMap;

/// Denied whatever their arguments are.
const DENIED: &[c_long] = &[
    // Other programs, other processes.
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Other roots, other namespaces, other users.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    libc::SYS_open_by_handle_at,
    // Parts of the kernel that faults are found in, and that a proxy has no use for.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_fanotify_init,
    libc::SYS_personality,
    libc::SYS_shmat,
    libc::SYS_remap_file_pages,
    // The machine itself.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
];

/// What only some processors have.
#[cfg(target_arch = "x86_64")]
const DENIED_HERE: &[c_long] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_kexec_file_load,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
];
#[cfg(not(target_arch = "x86_64"))]
const DENIED_HERE: &[c_long] = &[libc::SYS_kexec_file_load];

/// Namespaces that a new thread could be put into: clone(2).
const NEW_NAMESPACES: &[i32] = &[
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// The kinds of socket among the bits of their second argument: `SOCK_TYPE_MASK`, linux/net.h.
const SOCKET_KIND: u64 = 0xf;
/// Packets with the link's header, an older way to `AF_PACKET`: linux/net.h.
const SOCK_PACKET: i32 = 10;

/// Denies them to all threads. `false`: the kernel, or this processor's part of it, has no filter for system calls.
pub fn deny() -> bool {
    let Ok(programs) = programs() else { return false };
    programs.iter().all(|program| apply_filter_all_threads(program).is_ok())
}

fn programs() -> Result<Vec<BpfProgram>, BackendError> {
    let mut denied: BTreeMap<c_long, Vec<SeccompRule>> =
        DENIED.iter().chain(DENIED_HERE).map(|call| (*call, Vec::new())).collect();
    denied.insert(libc::SYS_clone, processes()?);
    denied.insert(libc::SYS_socket, sockets()?);
    // Words put into the mouth of whoever sits at the terminal: ioctl_tty(2), ioctl_console(2).
    let terminal = [libc::TIOCSTI, libc::TIOCLINUX].map(|request| {
        let request = SeccompCondition::new(1, Width::Dword, Is::Eq, request)?;
        rule(vec![request])
    });
    denied.insert(libc::SYS_ioctl, terminal.into_iter().collect::<Result<_, _>>()?);
    for call in [libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_pkey_mprotect] {
        // New code: all of it was loaded at the start.
        denied.insert(call, vec![rule(vec![bits(2, libc::PROT_EXEC, libc::PROT_EXEC)?])?]);
    }
    // Its flags lie in memory, where no filter sees them. Libraries that are told it is not there use clone(2) instead.
    let unseen = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let mut programs = vec![program(denied, libc::EPERM)?, program(unseen, libc::ENOSYS)?];
    programs.extend(other_numbers());
    Ok(programs)
}

fn program(calls: BTreeMap<c_long, Vec<SeccompRule>>, error: i32) -> Result<BpfProgram, BackendError> {
    let target = std::env::consts::ARCH.try_into()?;
    let refusal = SeccompAction::Errno(error.cast_unsigned());
    SeccompFilter::new(calls, SeccompAction::Allow, refusal, target)?.try_into()
}

/// A new process, or a thread in a namespace of its own.
fn processes() -> Result<Vec<SeccompRule>, BackendError> {
    let process = rule(vec![bits(0, libc::CLONE_THREAD, 0)?]);
    let namespaces = NEW_NAMESPACES.iter().map(|namespace| rule(vec![bits(0, *namespace, *namespace)?]));
    std::iter::once(process).chain(namespaces).collect()
}

/// Every family but those of addresses, and of routes, which the C library asks for when it orders addresses (rtnetlink(7));
/// packets made by hand. A path leads to programs that trust whoever reaches them, a container engine or a message bus: what the
/// node itself listens on by a path was opened before, and pairs (socketpair(2)) are something else.
fn sockets() -> Result<Vec<SeccompRule>, BackendError> {
    let differs = |argument: u8, value: i32| {
        SeccompCondition::new(argument, Width::Dword, Is::Ne, u64::from(value.cast_unsigned()))
    };
    let netlink = u64::from(libc::AF_NETLINK.cast_unsigned());
    let kind = |kind: i32| {
        SeccompCondition::new(1, Width::Dword, Is::MaskedEq(SOCKET_KIND), u64::from(kind.cast_unsigned()))
    };
    Ok(vec![
        rule(vec![differs(0, libc::AF_INET)?, differs(0, libc::AF_INET6)?, differs(0, libc::AF_NETLINK)?])?,
        rule(vec![
            SeccompCondition::new(0, Width::Dword, Is::Eq, netlink)?,
            differs(2, libc::NETLINK_ROUTE)?,
        ])?,
        rule(vec![differs(0, libc::AF_NETLINK)?, kind(libc::SOCK_RAW)?])?,
        rule(vec![kind(SOCK_PACKET)?])?,
    ])
}

fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions)
}

/// An argument whose bits under `mask` are `value`.
fn bits(argument: u8, mask: i32, value: i32) -> Result<SeccompCondition, BackendError> {
    let (mask, value) = (u64::from(mask.cast_unsigned()), u64::from(value.cast_unsigned()));
    SeccompCondition::new(argument, Width::Dword, Is::MaskedEq(mask), value)
}

/// The same calls have other numbers in the x32 ABI, from 0x4000_0000 on: all of them are unknown (`ENOSYS`).
#[cfg(target_arch = "x86_64")]
fn other_numbers() -> Option<BpfProgram> {
    use seccompiler::sock_filter;
    const FIRST: u32 = 0x4000_0000;
    let statement = |code: u32, k: u32| sock_filter { code: code as u16, jt: 0, jf: 0, k };
    Some(vec![
        // The number is the first field of what a filter sees: struct seccomp_data, linux/seccomp.h.
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0),
        sock_filter { jf: 1, ..statement(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, FIRST) },
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned()),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW),
    ])
}

#[cfg(not(target_arch = "x86_64"))]
fn other_numbers() -> Option<BpfProgram> {
    None
}
