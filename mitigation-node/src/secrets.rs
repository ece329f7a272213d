//! Random secrets, kept in the data folder.

use crate::storage::{self, Audience};
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

/// Random bytes from the kernel.
pub fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        filled += rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty())?;
    }
    Ok(bytes)
}

/// Makes sure that a SYN cookie secret is in `data_dir`: 32 random bytes in hexadecimal. `true`: it was made now.
pub fn ensure_syn_cookie_secret(data_dir: &Path) -> io::Result<bool> {
    let path = data_dir.join("syn_cookie_secret");
    if path.exists() {
        return Ok(false);
    }
    let bytes = Zeroizing::new(random::<32>()?);
    // As long as it will be: a string that grows leaves what it held before behind.
    let mut secret = Zeroizing::new(String::with_capacity(2 * bytes.len()));
    for digit in bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]) {
        secret.extend(char::from_digit(digit.into(), 16));
    }
    storage::replace(&path, secret.as_bytes(), Audience::Owner)?;
    Ok(true)
}
