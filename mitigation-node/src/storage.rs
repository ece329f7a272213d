//! Files that are replaced whole and survive a crash.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Who may read a file.
#[derive(Debug, Clone, Copy)]
pub enum Audience {
    /// Everybody.
    All,
    /// The program's user alone.
    Owner,
}

/// Puts `bytes` at `path`, in place of what was there. When this returns they are on the disk; a crash before leaves the old
/// file.
pub fn replace(path: &Path, bytes: &[u8], audience: Audience) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.new", std::process::id()));
    let beside = folder.join(name);
    let mode = match audience {
        Audience::All => 0o644,
        Audience::Owner => 0o600,
    };
    // Left by a process of the same number that did not end well; made anew, so that nobody has it open already.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}
