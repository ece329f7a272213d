use crate::section::section;

section! {
    /// Options of the sockets.
    Performance = "performance" {
        /// Sends small writes to clients at once (`TCP_NODELAY`), as those to the backend always are.
        enable_tcp_nodelay: bool = true;
        /// Takes data in the SYN of returning clients (`TCP_FASTOPEN`, RFC 7413).
        enable_tcp_fastopen: bool = false => restart();
        /// Connections that the kernel holds for each listener until a worker accepts them; the kernel cuts it
        /// to `net.core.somaxconn`.
        backlog_size: u32 = 1024 => unit("connections"), range(1.0, 65_535.0), restart();
    }
}
