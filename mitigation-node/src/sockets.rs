//! The sockets that the node listens on.

use crate::Failure;
use crate::local_socket::LocalSocket;
use secbeat_edge::{ListenerConfig, bind};
use secbeat_settings::Settings;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

/// Where the API is called.
pub struct ApiSockets {
    /// `metrics.bind_address`.
    pub tcp: TcpListener,
    /// `metrics.unix_socket`, with what takes it out of its folder at the end.
    pub local: Option<(UnixListener, LocalSocket)>,
}

/// The API's sockets; `None` where it is switched off.
pub fn of_api(settings: &Settings) -> Result<Option<ApiSockets>, Failure> {
    if !settings.metrics.enable {
        return Ok(None);
    }
    let local = settings.metrics.unix_socket.as_deref().map(LocalSocket::bind).transpose();
    let local = local.map_err(|error| {
        let path = settings.metrics.unix_socket.as_deref().unwrap_or("".as_ref()).display();
        Failure::machine(format!("metrics.unix_socket: {path}: {error}; its folder must be there and writable, and nobody listen on it"))
    })?;
    Ok(Some(ApiSockets { tcp: api_listener(settings)?, local }))
}

/// The sockets of each worker.
pub fn of_workers(settings: &Settings, workers: usize) -> Result<Vec<Vec<TcpListener>>, Failure> {
    let configs = [ListenerConfig {
        address: settings.server.bind_address,
        backlog: settings.performance.backlog_size,
        shared_with_others: settings.server.reuse_port,
        tcp_fastopen: settings.performance.enable_tcp_fastopen,
    }];
    let mut of_workers: Vec<Vec<TcpListener>> = (0..workers).map(|_| Vec::new()).collect();
    for config in &configs {
        let sockets = bind(config, workers)
            .map_err(|error| Failure::machine(format!("server.bind_address: {error}")))?;
        of_workers.iter_mut().zip(sockets).for_each(|(of_worker, socket)| of_worker.push(socket));
    }
    Ok(of_workers)
}

fn api_listener(settings: &Settings) -> Result<TcpListener, Failure> {
    let config = ListenerConfig {
        address: settings.metrics.bind_address,
        backlog: 128,
        shared_with_others: false,
        tcp_fastopen: false,
    };
    let sockets =
        bind(&config, 1).map_err(|error| Failure::machine(format!("metrics.bind_address: {error}")))?;
    sockets.into_iter().next().ok_or_else(|| Failure::machine("metrics.bind_address: no socket"))
}
