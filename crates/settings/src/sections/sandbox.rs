use crate::section::section;
use std::path::PathBuf;

section! {
    /// What the node denies itself once it has started: files (Landlock) and system calls (seccomp) that it does not need.
    Sandbox = "sandbox" {
        /// Whether it does.
        enable: bool = true => restart();
        /// Whether the node refuses to start where the kernel lacks a part of it, instead of running degraded.
        required: bool = false => restart();
        /// Further folders it may read, such as the one that the next certificate will be in.
        read_paths: Vec<PathBuf> = Vec::new() => restart();
        /// Further folders it may write.
        write_paths: Vec<PathBuf> = Vec::new() => restart();
    }
}
