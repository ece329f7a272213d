//! What requests are held against: settings and rules, checked and compiled, swapped whole. A request sees one policy from
//! its first byte to its last.

use crate::rates::Rates;
use crate::site::Sites;
use ipnet::IpNet;
use rustls::ServerConfig;
use secbeat_http1 as http1;
use secbeat_settings::Settings;
use secbeat_telemetry::Mask;
use secbeat_upstream::Backend;
use secbeat_waf::ExceptionSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// One generation of everything that decides about a request.
pub struct Policy {
    /// Ascending from 1, for each start of the program.
    pub generation: u64,
    /// How much of a head is read.
    pub head_limits: http1::Limits,
    /// What the requests for each host are held against.
    pub sites: Arc<Sites>,
    /// What the rules of all sites let pass all the same.
    pub exceptions: Arc<ExceptionSet>,
    /// Proxies whose word about the client counts.
    pub trusted_proxies: Vec<IpNet>,
    /// How often a client may ask.
    pub rates: Rates,
    /// How long each step may take.
    pub timeouts: Timeouts,
    /// Connections that may be open at once, over all workers.
    pub connections_max: usize,
    /// Connections that one client may have open at once; 0: no limit of its own.
    pub connections_per_address: usize,
    /// Whether small writes to clients go out at once.
    pub tcp_nodelay: bool,
    /// The listener's TLS, where it has any.
    pub tls: Option<Arc<ServerConfig>>,
    /// The protected site.
    pub backend: Backend,
    /// Where clients connect.
    pub bind_address: SocketAddr,
    /// What of a request nobody may read.
    pub mask: Mask,
    /// Bytes read from a socket at once.
    pub buffer_size: usize,
}

/// How long each step may take, in milliseconds. See `[timeouts]` in the configuration reference.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// A request's head.
    pub head_ms: u64,
    /// A request's body.
    pub body_ms: u64,
    /// A connection to the backend.
    pub connect_ms: u64,
    /// The backend's answer.
    pub first_byte_ms: u64,
    /// An answer that stands still.
    pub response_idle_ms: u64,
    /// A tunnel that is silent.
    pub tunnel_idle_ms: u64,
    /// A client's connection between two requests.
    pub keepalive_ms: u64,
    /// A ready connection to the backend.
    pub upstream_keepalive_ms: u64,
    /// Requests under way when the program stops.
    pub shutdown_ms: u64,
}

/// Bytes of a head beside its target and its fields: method, version, separators.
const REQUEST_LINE_REST_BYTES: usize = 64;

impl Policy {
    /// The policy that `settings` ask for, with sites, exceptions and certificate that were compiled and loaded before.
    pub fn new(
        generation: u64,
        settings: &Settings,
        sites: Arc<Sites>,
        exceptions: Arc<ExceptionSet>,
        tls: Option<Arc<ServerConfig>>,
    ) -> Self {
        let (server, limits, timeouts) = (&settings.server, &settings.limits, &settings.timeouts);
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let short = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        Policy {
            generation,
            head_limits: http1::Limits {
                head_bytes_max: short(
                    limits.header_bytes_max + limits.target_bytes_max + REQUEST_LINE_REST_BYTES,
                ),
                target_bytes_max: short(limits.target_bytes_max),
                fields_max: short(limits.header_count_max),
                field_bytes_max: short(limits.header_bytes_max),
            },
            sites,
            exceptions,
            trusted_proxies: server.trusted_proxies.clone(),
            rates: Rates::new(settings),
            timeouts: Timeouts {
                head_ms: ms(timeouts.head),
                body_ms: ms(timeouts.body),
                connect_ms: ms(timeouts.connect),
                first_byte_ms: ms(timeouts.first_byte),
                response_idle_ms: ms(timeouts.response_idle),
                tunnel_idle_ms: ms(timeouts.tunnel_idle),
                keepalive_ms: ms(server.keepalive_timeout),
                upstream_keepalive_ms: ms(timeouts.upstream_keepalive),
                shutdown_ms: ms(server.shutdown_timeout),
            },
            connections_max: server.max_connections,
            connections_per_address: limits.connections_per_address,
            tcp_nodelay: settings.performance.enable_tcp_nodelay,
            tls,
            backend: Backend::new(server.backend_address.to_string()),
            bind_address: server.bind_address,
            mask: Mask::new(
                settings.recorder.mask_headers.iter().map(String::as_str),
                settings.recorder.mask_parameters.iter().map(String::as_str),
            ),
            buffer_size: server.buffer_size,
        }
    }
}
