use crate::address::Method;
use crate::section::section;

section! {
    /// What a request may be. Each limit has its own answer.
    Limits = "limits" {
        /// The methods let through; others are answered 405.
        methods: Vec<Method> = Method::ordinary();
        /// The request target; a longer one is answered 414.
        target_bytes_max: usize = 8192 => unit("bytes"), range(64.0, 1_048_576.0);
        /// The header fields of a request; more are answered 431.
        header_count_max: usize = 100 => range(1.0, 1024.0);
        /// All header fields of a request together; more are answered 431.
        header_bytes_max: usize = 32_768 => unit("bytes"), range(256.0, 1_048_576.0);
        /// The body of a request; a longer one is answered 413.
        body_bytes_max: u64 = 104_857_600 => unit("bytes"), range(0.0, 1_099_511_627_776.0);
        /// Connections that one client (an IPv4 address, an IPv6 /64) may have open at once; further ones are closed at
        /// accept. 0: no limit of its own.
        connections_per_address: usize = 0 => unit("connections"), range(0.0, 10_000_000.0);
    }
}
