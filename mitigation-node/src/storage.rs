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
    name.push(".new");
    let beside = folder.join(name);
    let mode = match audience {
        Audience::All => 0o644,
        Audience::Owner => 0o600,
    };
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}
