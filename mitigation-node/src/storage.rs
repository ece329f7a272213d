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
    // Left by a crash; made anew, so that nobody has it open already.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = write(&beside, bytes, mode).and_then(|()| fs::rename(&beside, path));
    if let Err(error) = written {
        // It may be what fills the disk. Where it cannot be removed either, the next attempt does it.
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    File::open(folder)?.sync_all()
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_leaves_the_old_file_and_nothing_beside_it() {
        let folder = std::env::temp_dir().join(format!("secbeat-storage-{}", std::process::id()));
        let path = folder.join("rules.json");
        replace(&path, b"old", Audience::Owner).unwrap();
        replace(&path, b"new", Audience::Owner).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        fs::remove_file(&path).unwrap();
        fs::create_dir_all(path.join("in the way")).unwrap();
        assert!(replace(&path, b"newer", Audience::Owner).is_err());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}
