use crate::secret::Secret;
use crate::section::section;
use std::path::PathBuf;

section! {
    /// SYN cookies in the kernel, before a connection costs the node anything. Needs root or `CAP_BPF` and
    /// `CAP_NET_ADMIN`; without them `l7` and `tcp` modes run degraded, `syn` mode refuses to start.
    SynProxy = "syn_proxy" {
        /// Whether SYN floods are answered with cookies.
        enable: bool = false => restart();
        /// Whether the node refuses to start where the kernel path cannot be set up, instead of running degraded.
        required: bool = false => restart();
        /// Half-open connections that are remembered; above it, cookies only.
        max_syn_backlog: usize = 65_536 => range(16.0, 16_777_216.0), restart();
        /// The key of the cookies, the same on all nodes that share an address. Not given (or `${SYN_COOKIE_SECRET}`
        /// with that variable unset): a random one is made and kept in `server.data_dir`, with a warning.
        syn_cookie_secret: Option<Secret> = None
            => restart(), alias("SYN_COOKIE_SECRET"), variable_may_be_unset();
        /// A file with the secret, instead of `syn_cookie_secret`.
        syn_cookie_secret_file: Option<PathBuf> = None => restart();
    }
}
