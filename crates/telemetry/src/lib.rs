//! What an operator reads: metrics, log lines, events, what became of requests. Counting and logging never slow a
//! request.
//!
//! | module | idea |
//! | --- | --- |
//! | [`names`] | every metric's name, kind and help text |
//! | [`metrics`] | the counters, one shard a worker, and what is read off them each second |
//! | [`histogram`] | durations in log-linear buckets |
//! | [`volume`] | when there are far more requests than usual |
//! | [`process`] | processor time and memory of this process |
//! | [`log`] | lines to a file or standard error, through a bounded queue |
//! | [`access`] | a line for each request, in a file of its own |
//! | [`audit`] | what SecLang rules found in a request, in a file of its own |
//! | [`events`] | the newest security events, in memory |
//! | [`trace`] | what became of each of the newest requests, in memory |
//! | [`recorder`] | requests that were stopped, and a sample of the rest, on disk |
//! | [`plain`] | JSON that drives no terminal |
//! | [`anonymize`] | addresses cut to their network |

mod aside;

pub mod access;
pub mod anonymize;
pub mod audit;
pub mod events;
pub mod histogram;
pub mod log;
pub mod metrics;
pub mod names;
pub mod plain;
pub mod process;
pub mod recorder;
pub mod trace;
pub mod volume;

pub use access::{Access, AccessBuffer, AccessFormat, AccessLog, AccessOptions};
pub use audit::{Audit, AuditLog, AuditOptions, AuditRule};
pub use events::{EventRing, Page, Query, Since};
pub use log::{Format, Level, LogOptions, LogWriter, Logger, Target};
pub use metrics::{Metrics, OpenConnection, Reading, UpstreamError, WorkerMetrics};
pub use plain::plain_json;
pub use process::ProcessUsage;
pub use recorder::{Draft, Mask, Record, RecordQuery, Recorder, RecorderOptions, RecorderTap};
pub use trace::{Trace, TraceRing};
pub use volume::{Surge, Volume};
