//! Every section of the file, a table each.

mod access_log;
mod csrf;
mod error_pages;
mod limits;
mod logging;
mod metrics;
mod orchestrator;
mod performance;
mod rate_limit;
mod recorder;
mod retention;
mod sandbox;
mod server;
mod site;
mod syn_proxy;
mod timeouts;
mod tls;
mod waf;

pub use access_log::AccessLog;
pub use csrf::Csrf;
pub use error_pages::ErrorPages;
pub use limits::Limits;
pub use logging::Logging;
pub use metrics::Metrics;
pub use orchestrator::Orchestrator;
pub use performance::Performance;
pub use rate_limit::RateLimit;
pub use recorder::Recorder;
pub use retention::Retention;
pub use sandbox::Sandbox;
pub use server::Server;
pub use site::Site;
pub use syn_proxy::SynProxy;
pub use timeouts::Timeouts;
pub use tls::Tls;
pub use waf::Waf;
