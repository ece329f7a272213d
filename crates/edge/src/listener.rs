//! Binds the sockets of a worker.
//!
//! Every worker has its own socket on the same address (`SO_REUSEPORT`), so that the kernel spreads connections over
//! workers and no lock is shared. That option would also let a second program take half of the traffic unnoticed:
//! unless the operator asks for it (`reuse_port = true`), [`bind`] first makes sure that nobody listens there.

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::SocketAddr;

/// What a listener needs to know before it is bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerConfig {
    /// The address to listen on.
    pub address: SocketAddr,
    /// Connections that the kernel holds until they are accepted, each worker.
    pub backlog: u32,
    /// Whether other processes may listen on the same address.
    pub shared_with_others: bool,
    /// Whether a client that has been here before may send its request in its SYN (RFC 7413).
    pub tcp_fastopen: bool,
}

/// Binds one socket for each of `workers` to the same address. Port 0 picks a free port, the same for all.
///
/// # Errors
/// The address, what the system said about it, and what to do.
pub fn bind(config: &ListenerConfig, workers: usize) -> io::Result<Vec<std::net::TcpListener>> {
    let mut address = config.address;
    if !config.shared_with_others && address.port() != 0 {
        // Without SO_REUSEPORT the kernel refuses an address that anybody listens on.
        listening_socket(address, config, false).map_err(|error| explain(address, error))?;
    }
    let mut listeners = Vec::with_capacity(workers);
    for _ in 0..workers {
        let socket = listening_socket(address, config, true).map_err(|error| explain(address, error))?;
        socket.listen(config.backlog.min(i32::MAX as u32) as i32).map_err(|error| explain(address, error))?;
        let listener = std::net::TcpListener::from(socket);
        address = listener.local_addr()?;
        listeners.push(listener);
    }
    Ok(listeners)
}

fn listening_socket(address: SocketAddr, config: &ListenerConfig, reuse_port: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // `[::]` takes IPv4 clients too, whatever net.ipv6.bindv6only says.
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(reuse_port)?;
    socket.set_nonblocking(true)?;
    if config.tcp_fastopen {
        enable_fastopen(&socket, config.backlog)?;
    }
    socket.bind(&SockAddr::from(address))?;
    Ok(socket)
}

/// `TCP_FASTOPEN` takes the length of the queue of connections that have sent data and not finished the handshake.
#[allow(unsafe_code)]
fn enable_fastopen(socket: &Socket, queue: u32) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let queue = libc::c_int::try_from(queue).unwrap_or(libc::c_int::MAX);
    // SAFETY: the descriptor is open for as long as `socket` lives, and the pointer and length describe `queue`,
    // an int, which is what the option takes.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_FASTOPEN,
            (&raw const queue).cast(),
            size_of_val(&queue) as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn explain(address: SocketAddr, error: io::Error) -> io::Error {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there; stop it, choose another port, or set `reuse_port = true` in every program \
             that is to share it"
        }
        io::ErrorKind::PermissionDenied => "ports below 1024 need CAP_NET_BIND_SERVICE",
        io::ErrorKind::AddrNotAvailable => "this machine has no such address",
        _ => "see the system's message",
    };
    io::Error::new(error.kind(), format!("cannot listen on {address}: {error}: {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(address: &str, shared: bool) -> ListenerConfig {
        ListenerConfig {
            address: address.parse().unwrap(),
            backlog: 16,
            shared_with_others: shared,
            tcp_fastopen: false,
        }
    }

    #[test]
    fn workers_share_one_port() {
        let listeners = bind(&config("127.0.0.1:0", false), 3).unwrap();
        let ports: Vec<u16> = listeners.iter().map(|l| l.local_addr().unwrap().port()).collect();
        assert_eq!(ports.len(), 3);
        assert!(ports.iter().all(|port| *port == ports[0] && *port != 0));
    }

    #[test]
    fn a_second_start_is_refused_unless_both_share() {
        let first = bind(&config("127.0.0.1:0", false), 2).unwrap();
        let address = first[0].local_addr().unwrap().to_string();
        let error = bind(&config(&address, false), 2).unwrap_err().to_string();
        assert!(error.contains(&address) && error.contains("reuse_port"), "{error}");
        bind(&config(&address, true), 2).unwrap();
    }

    #[test]
    fn an_address_of_somebody_else_is_refused_with_its_reason() {
        let error = bind(&config("192.0.2.1:0", false), 1).unwrap_err().to_string();
        assert!(error.contains("192.0.2.1") && error.contains("no such address"), "{error}");
    }

    #[test]
    fn fast_open_is_set_where_it_is_asked_for() {
        let with = ListenerConfig { tcp_fastopen: true, ..config("127.0.0.1:0", false) };
        assert_eq!(bind(&with, 1).unwrap().len(), 1);
    }
}
