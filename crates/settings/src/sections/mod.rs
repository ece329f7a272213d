//! Every section of the file, a table each.

mod limits;
mod logging;
mod metrics;
mod orchestrator;
mod performance;
mod server;
mod syn_proxy;
mod timeouts;
mod tls;
mod waf;

pub use limits::Limits;
pub use logging::Logging;
pub use metrics::Metrics;
pub use orchestrator::Orchestrator;
pub use performance::Performance;
pub use server::Server;
pub use syn_proxy::SynProxy;
pub use timeouts::Timeouts;
pub use tls::Tls;
pub use waf::Waf;
