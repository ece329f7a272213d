//! Configuration: what the operator asked for, checked, with the place each value came from.
//!
//! Values come in layers, the later over the earlier: built-in default, file, environment, `--set section.key=value`.
//! Nothing falls back silently: an unknown key, a wrong type or an impossible value is a [`Problem`] with its place,
//! and [`load`](Settings::load) reports all of them at once.
//!
//! | module | what |
//! | --- | --- |
//! | `settings` | [`Settings`]: one plain struct a section; what changed between two |
//! | `sections` | every section with its keys: one table each, from which all else is made |
//! | `key`, `section` | what is known of a key; the table's macro |
//! | `value`, `choice`, `address`, `pattern`, `secret` | the types of values |
//! | `load` | the layers, in order |
//! | `file`, `environment`, `command_line` | a layer each |
//! | `variables` | `${VAR}` and `${VAR:-default}` |
//! | `check` | what no single key can know |
//! | `built` | what this version refuses, and what it runs without |
//! | `problem`, `nearest` | errors with place, cause and remedy |
//! | `reference` | `docs/configuration.md` |

pub mod address;
pub mod built;
mod check;
pub mod choice;
mod command_line;
mod environment;
mod file;
pub mod key;
pub mod load;
mod nearest;
pub mod pattern;
pub mod problem;
pub mod reference;
pub mod secret;
mod section;
pub mod sections;
pub mod settings;
mod value;
mod variables;

pub use address::{Host, HostPort, Method, Url, WebOrigin};
pub use built::{Built, Degradation};
pub use choice::{AccessFormat, Format, Level, Mode, OnBudget, OnOverLimit, SiteMode, TlsVersion, WafMode};
pub use key::{Effect, Key, Kind};
pub use load::{Loaded, PATH_DEFAULT, PATH_VARIABLE, Sources};
pub use pattern::{HostPattern, RateKey};
pub use problem::{Errors, Origin, Problem};
pub use reference::reference_markdown;
pub use secret::Secret;
pub use sections::{
    AccessLog, AuditLog, Crs, Csrf, ErrorPages, Limits, Logging, Metrics, Orchestrator, Performance,
    RateLimit, Recorder, Retention, Sandbox, Server, Site, SynProxy, Timeouts, Tls, Waf,
};
pub use settings::{Changes, Settings, keys, table_keys};
