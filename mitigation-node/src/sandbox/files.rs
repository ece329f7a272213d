//! No files but those of the node (Landlock, landlock(7)). Rules hold for what is opened from now on; what is open stays open.

use super::folders::{self, Folders, is_shared};
use landlock::{
    ABI, Access, AccessFs, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
    Scope, make_bitflags, path_beneath_rules,
};
use std::fs;
use std::path::PathBuf;

/// The newest Landlock that is used; of what an older kernel does not know, the rest is in force.
const NEWEST: ABI = ABI::V6;

/// What the C library and the allocator read while a node runs.
const SYSTEM: &[&str] = &[
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
    "/lib",
    "/lib64",
    "/proc/self",
    "/run/resolvconf",
    "/run/systemd/resolve",
    "/sys/devices/system/cpu",
    "/usr/lib",
    "/usr/lib64",
    "/usr/share/zoneinfo",
];

/// What names are resolved by (resolv.conf(5), nsswitch.conf(5), gai.conf(5)) and certificates checked with. Root could read all
/// of `/etc`, passwords too, so that for root it is these; a change that puts a new file in the place of one of them then needs a
/// restart. For any other user it is also the folder, of which the system shows him only what everybody may see, and the folders that
/// links lead to, as `/run/NetworkManager` from `resolv.conf`.
const ETC: &[&str] = &[
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl/certs",
];

/// Denies the calling thread, and those it will start, every other file, and signals to other programs. `false`: the kernel has
/// no Landlock.
///
/// # Errors
/// The kernel refused a rule that it should know.
pub fn allow_only(folders: &Folders) -> Result<bool, String> {
    restrict(folders).map_err(|error| format!("sandbox.enable: Landlock: {error}"))
}

fn restrict(folders: &Folders) -> Result<bool, RulesetError> {
    let read: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    let write = read
        | make_bitflags!(AccessFs::{
            WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir | Refer
        });
    let mut system: Vec<PathBuf> = SYSTEM.iter().chain(ETC).map(PathBuf::from).collect();
    if !rustix::process::geteuid().is_root() {
        let targets = ETC.iter().filter_map(|file| fs::canonicalize(file).ok());
        let folders = targets.filter_map(|target| Some(target.parent()?.to_owned()));
        system.extend(folders.filter(|folder| !is_shared(folder)));
        system.push("/etc".into());
    }
    let single = |access: folders::Access| {
        folders.files.iter().filter(move |single| single.access == access).map(|single| &single.path)
    };
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .scope(Scope::Signal)?
        .create()?
        .add_rules(path_beneath_rules(system, read))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::WriteFile))?
        .add_rules(path_beneath_rules(&folders.read, read))?
        .add_rules(path_beneath_rules(&folders.write, write))?
        .add_rules(path_beneath_rules(&folders.remove, AccessFs::RemoveFile))?
        .add_rules(path_beneath_rules(single(folders::Access::Read), read))?
        .add_rules(path_beneath_rules(single(folders::Access::Write), write))?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}
