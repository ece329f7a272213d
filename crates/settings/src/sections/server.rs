use crate::address::HostPort;
use crate::choice::Mode;
use crate::section::section;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// Where the node listens, where it sends what it lets through, and what it may use for it.
    Server = "server" {
        /// What the node does with a connection: `l7` terminates HTTP and inspects it, `tcp` forwards bytes,
        /// `syn` answers SYN floods in the kernel.
        mode: Mode = Mode::L7 => restart(), alias("MITIGATION_MODE");
        /// The address and port that clients connect to. `[::]:8443` takes IPv6 and IPv4.
        bind_address: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8443) => restart();
        /// The protected site. A host name is resolved again when a connection to it is made.
        backend_address: HostPort = HostPort::loopback(8080) => required();
        /// Data-plane threads, each with its own listener and upstream pool; 0: one for each CPU core.
        worker_threads: usize = 0 => range(0.0, 1024.0), restart(), alias("WORKER_THREADS");
        /// Client connections that are open at once, over all workers; further ones are closed at accept.
        max_connections: usize = 10_000 => range(1.0, 10_000_000.0), alias("MAX_CONNECTIONS");
        /// Bytes read from a socket at once, for each connection and direction.
        /// Larger is cheaper for large bodies, smaller is less memory for each connection.
        buffer_size: usize = 32_768 => unit("bytes"), range(1024.0, 1_048_576.0), alias("BUFFER_SIZE");
        /// How long a client's connection may wait for its next request.
        keepalive_timeout: Duration = Duration::from_secs(60) => range(0.1, 86_400.0);
        /// The folder of what outlives the program: decisions and the rules set by the API.
        /// Two nodes never share one.
        data_dir: PathBuf = PathBuf::from("data") => restart();
        /// Proxies whose `X-Forwarded-For` and `Forwarded` are believed. From everybody else they are replaced.
        trusted_proxies: Vec<IpNet> = Vec::new();
        /// Lets several nodes share `bind_address` (`SO_REUSEPORT`). Without it a second start is refused.
        reuse_port: bool = false => restart();
        /// How long a stopping node waits for requests in flight before it closes their connections.
        shutdown_timeout: Duration = Duration::from_secs(30) => range(0.0, 3600.0);
    }
}
