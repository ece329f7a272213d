use crate::section::section;
use std::time::Duration;

section! {
    /// How long each step of a request may take. `head`, `body`, `connect` and `first_byte` are totals that no
    /// trickle of bytes prolongs.
    Timeouts = "timeouts" {
        /// From the first byte of a request (or the accept of a new connection, TLS handshake included) to the end of
        /// its head; then 408.
        head: Duration = Duration::from_secs(10) => range(0.1, 3600.0);
        /// From the end of the head to the end of the body; then 408.
        body: Duration = Duration::from_secs(300) => range(0.1, 86_400.0);
        /// To connect to the backend; then 504.
        connect: Duration = Duration::from_secs(5) => range(0.01, 300.0);
        /// From the end of the request to the end of the answer's head; then 504.
        first_byte: Duration = Duration::from_secs(60) => range(0.1, 86_400.0);
        /// How long an answer may stand still, because the backend sends nothing or the client takes nothing; then the
        /// connections are closed.
        response_idle: Duration = Duration::from_secs(60) => range(0.1, 86_400.0);
        /// How long a WebSocket or another upgraded connection may be silent both ways.
        tunnel_idle: Duration = Duration::from_secs(3600) => range(1.0, 604_800.0);
        /// How long an idle connection to the backend is kept; shorter than the backend keeps it.
        upstream_keepalive: Duration = Duration::from_secs(30) => range(0.0, 3600.0);
    }
}
