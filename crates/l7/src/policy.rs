//! What requests are held against: settings and rules, checked and compiled, swapped whole. A request sees one policy from
//! its first byte to its last.

use crate::rates::Rates;
use ipnet::IpNet;
use rustls::ServerConfig;
use secbeat_http1 as http1;
use secbeat_settings::{OnOverLimit, Settings};
use secbeat_upstream::Backend;
use secbeat_waf::RuleSet;
use std::sync::Arc;
use std::time::Duration;

/// One generation of everything that decides about a request.
pub struct Policy {
    /// Ascending from 1, for each start of the program.
    pub generation: u64,
    /// How much of a head is read.
    pub head_limits: http1::Limits,
    /// The methods that are let through.
    pub methods: Vec<String>,
    /// The longest body that is let through, in bytes.
    pub body_bytes_max: u64,
    /// Proxies whose word about the client counts.
    pub trusted_proxies: Vec<IpNet>,
    /// How often a client may ask.
    pub rates: Rates,
    /// The firewall, where it is on.
    pub waf: Option<WafPolicy>,
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
    /// Bytes read from a socket at once.
    pub buffer_size: usize,
}

/// The firewall's part of a policy.
pub struct WafPolicy {
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// How much of a body is inspected, in bytes.
    pub inspect_bytes_max: usize,
    /// Whether a longer body is refused; otherwise its first part is inspected and the rest streams.
    pub refuses_longer: bool,
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
    /// The policy that `settings` ask for, with rules and certificate that were compiled and loaded before.
    pub fn new(
        generation: u64,
        settings: &Settings,
        rules: Option<Arc<RuleSet>>,
        tls: Option<Arc<ServerConfig>>,
    ) -> Self {
        let (server, limits, timeouts, waf) =
            (&settings.server, &settings.limits, &settings.timeouts, &settings.waf);
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
            methods: limits.methods.iter().map(|method| method.as_str().to_owned()).collect(),
            body_bytes_max: limits.body_bytes_max,
            trusted_proxies: server.trusted_proxies.clone(),
            rates: Rates::new(settings),
            waf: rules.map(|rules| WafPolicy {
                rules,
                inspect_bytes_max: waf.inspect_body_limit,
                refuses_longer: waf.on_body_over_limit == OnOverLimit::Block,
            }),
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
            buffer_size: server.buffer_size,
        }
    }
}
