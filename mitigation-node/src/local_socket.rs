//! The API's second door: a Unix socket, for those whom its folder and its group let in.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// A socket that is gone from its folder when this is dropped.
pub struct LocalSocket {
    path: PathBuf,
}

impl LocalSocket {
    /// Listens at `path`, for owner and group. What a process left there that did not end well is replaced; what listens is not.
    ///
    /// # Errors
    /// The folder is not there or may not be written, or the path is taken.
    pub fn bind(path: &Path) -> io::Result<(UnixListener, Self)> {
        let is_socket = fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_socket());
        if is_socket
            && UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
        {
            fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        let socket = Self { path: path.to_owned() };
        fs::set_permissions(path, Permissions::from_mode(0o660))?;
        listener.set_nonblocking(true)?;
        Ok((listener, socket))
    }
}

impl Drop for LocalSocket {
    fn drop(&mut self) {
        // Whoever took it away meanwhile has done the same.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_behind_is_replaced_and_what_listens_is_not() {
        let folder = std::env::temp_dir().join(format!("secbeat-socket-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("api.sock");
        drop(UnixListener::bind(&path).unwrap());
        let (listener, socket) = LocalSocket::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        assert!(LocalSocket::bind(&path).is_err());
        drop((listener, socket));
        assert!(!path.exists());
        fs::write(&path, "a file").unwrap();
        assert!(LocalSocket::bind(&path).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
