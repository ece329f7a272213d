//! What an operator reads: metrics, log lines, events. Counting and logging never slow a request.
//!
//! | module | idea |
//! | --- | --- |
//! | [`names`] | every metric's name, kind and help text |
//! | [`metrics`] | the counters, one shard a worker, and what is read off them each second |
//! | [`histogram`] | durations in log-linear buckets |
//! | [`process`] | processor time and memory of this process |
//! | [`log`] | lines to a file or standard error, through a bounded queue |
//! | [`events`] | the newest security events, in memory |

pub mod events;
pub mod histogram;
pub mod log;
pub mod metrics;
pub mod names;
pub mod process;

pub use events::{EventRing, Page, Query, Since};
pub use log::{Format, Level, LogOptions, LogWriter, Logger, Target};
pub use metrics::{Metrics, OpenConnection, Reading, UpstreamError, WorkerMetrics};
pub use process::ProcessUsage;
