//! From a listener to a connection: who is let in, and the TLS handshake.

use crate::client::is_trusted;
use crate::connection::Connection;
use crate::io::End;
use crate::policy::Policy;
use crate::shared::{Shared, Standing};
use crate::worker::{InForce, Worker};
use secbeat_edge::Stream;
use secbeat_edge::registry::Registration;
use secbeat_intel::{CountedConnection, TooMany};
use secbeat_types::decision::canonical;
use secbeat_types::{Category, Event, EventKind};
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};
use tokio_rustls::TlsAcceptor;

/// After an accept that failed for want of descriptors or memory, the next one waits this long: trying at once would only spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Worker {
    /// Serves until the program stops and every connection has ended, or `server.shutdown_timeout` is over.
    pub fn run(self: Rc<Self>, listeners: Vec<std::net::TcpListener>) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, async move {
            for listener in listeners {
                self.accepting.set(self.accepting.get() + 1);
                spawn_local(self.clone().accept(TcpListener::from_std(listener)?));
            }
            self.shared.lifecycle.worker_is_ready();
            self.tick().await;
            Ok(())
        })
    }

    /// Accepts until the program stops, and then what the kernel still holds: those clients were let in already.
    async fn accept(self: Rc<Self>, listener: TcpListener) {
        loop {
            let next = poll_fn(|context| match listener.poll_accept(context) {
                Poll::Ready(accepted) => Poll::Ready(Some(accepted)),
                Poll::Pending if self.shared.lifecycle.is_draining() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            });
            let accepted = tokio::select! {
                biased;
                next = next => match next {
                    Some(accepted) => accepted,
                    // Who is answered from now on is told that the connection ends, not only from the next tick on.
                    None => {
                        self.accepting.set(self.accepting.get() - 1);
                        return self.registry.drain();
                    }
                },
                () = self.stopping.notified() => continue,
            };
            match accepted {
                Ok((socket, peer)) => self.admit(socket, peer),
                Err(error) if is_about_one_client(&error) => {}
                Err(error) => {
                    let reason = format!("cannot accept: {error}; raise the limit of open files (ulimit -n)");
                    self.shared.tell(Event::new(
                        EventKind::Limit,
                        "mitigation-node",
                        "accept_failed",
                        reason,
                    ));
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Takes a connection on, or closes it at once: a client that is blocked, or one too many.
    fn admit(self: &Rc<Self>, socket: TcpStream, peer: SocketAddr) {
        let policy = self.policy();
        let of_client = match self.let_in(&policy, peer.ip()) {
            Ok(of_client) => of_client,
            Err(event) => {
                self.metrics.connection_refused();
                if let Some(category) = event.attack_type {
                    self.metrics.attack_blocked(category);
                }
                let client_ip = Some(peer.ip().to_canonical());
                return self.shared.tell(Event { client_ip, blocked: true, ..*event });
            }
        };
        // A client that has closed already is noticed when it is read from.
        let _ = socket.set_nodelay(policy.tcp_nodelay);
        let open = Open::new(self, of_client);
        let registration = self.registry.enter(open.number, peer, policy.tls.is_some());
        spawn_local(self.clone().serve(socket, peer, policy, open, registration));
    }

    /// Counts a connection of `peer`, or says why there is to be none. Proxies that carry many clients, and who is on the
    /// allowlist, may have any number; the address is all that is known here.
    fn let_in(&self, policy: &Policy, peer: IpAddr) -> Result<CountedConnection, Box<Event>> {
        let shared = &self.shared;
        let refused =
            |kind, event, reason: String| Box::new(Event::new(kind, "mitigation-node", event, reason));
        let standing = shared.standing(peer, shared.clock.now());
        if let Standing::Blocked(decision) = &standing {
            let reason = format!("{} is blocked by {}", decision.scope, decision.id);
            let event = refused(EventKind::Attack, "connection_refused", reason);
            return Err(Box::new(Event { attack_type: Some(Category::Reputation), ..*event }));
        }
        let too_many = |reason| refused(EventKind::Limit, "connection_limit", reason);
        if shared.lifecycle.connections_open() >= policy.connections_max {
            return Err(too_many("server.max_connections connections are open".to_owned()));
        }
        let is_exempt =
            matches!(standing, Standing::Allowed(_)) || is_trusted(canonical(peer), &policy.trusted_proxies);
        let limit = if is_exempt { 0 } else { policy.connections_per_address };
        shared.connections.open(peer, limit).map_err(|TooMany { open }| {
            too_many(format!("limits.connections_per_address: the client has {open} connections open"))
        })
    }

    async fn serve(
        self: Rc<Self>,
        socket: TcpStream,
        peer: SocketAddr,
        policy: Rc<InForce>,
        open: Open,
        registration: Registration,
    ) {
        self.shared
            .log
            .info("mitigation-node", "connection_established")
            .ip("client_ip", peer.ip().to_canonical())
            .str("backend", policy.backend.authority())
            .display("connection_id", format_args!("conn_{}", open.number))
            .send();
        let stream = match &policy.tls {
            None => Stream::Plain(socket),
            Some(config) => {
                registration.deadline_in(policy.timeouts.head_ms);
                let handshake = TlsAcceptor::from(config.clone()).accept(socket);
                match registration.within(Box::pin(handshake)).await {
                    Ok(Ok(stream)) => Stream::Tls(Box::new(stream)),
                    outcome => {
                        let reason = match outcome {
                            Ok(Err(error)) => error.to_string(),
                            _ => "the handshake did not end within timeouts.head".to_owned(),
                        };
                        let line = self.shared.log.debug("mitigation-node", "tls_handshake_failed");
                        return line.ip("client_ip", peer.ip().to_canonical()).str("reason", &reason).send();
                    }
                }
            }
        };
        let is_tls = stream.is_tls();
        let head_ms = policy.timeouts.head_ms;
        drop(policy);
        Connection { worker: self, client: End::new(stream), peer, is_tls, registration }
            .serve(head_ms)
            .await;
        drop(open);
    }
}

/// A connection's place in the counts; given back whatever happens to it.
struct Open {
    shared: Arc<Shared>,
    number: u64,
    _counted: secbeat_telemetry::OpenConnection,
    _of_client: CountedConnection,
}

impl Open {
    fn new(worker: &Worker, of_client: CountedConnection) -> Self {
        Self {
            shared: worker.shared.clone(),
            number: worker.shared.lifecycle.connection_opens(),
            _counted: worker.metrics.connection(),
            _of_client: of_client,
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.lifecycle.connection_ends();
    }
}

/// Whether an accept failed because its client had gone, which says nothing about the next (accept(2)).
fn is_about_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
