//! HTTP/1.1: from a client's connection to the backend and back.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`worker`] | one thread of the data plane: accepts, ticks, stops |
//! | [`connection`] | a client's connection: one request after another |
//! | [`pipeline`] | **the stages of a request, in order** |
//! | [`client`] | who the client is, behind proxies that we trust |
//! | [`inspect`] | the firewall over head and body |
//! | [`exchange`] | the request to the backend, and its answer |
//! | [`upload`], [`relay`], [`tunnel`] | bodies to the backend, answers to the client, upgraded connections |
//! | [`bulk`] | the rest of a large answer, at the least cost a byte |
//! | [`forward`] | heads, written anew for the other side |
//! | [`refusal`], [`answer`] | from cause to status, event and the answer of our own |
//! | [`record`] | what is left of a request: metrics and events |
//! | [`policy`] | what requests are held against |
//! | [`shared`] | what all workers share |
//! | [`budget`], [`io`], [`request_id`], [`scratch`] | memory for bodies, two-way streams, ids, working memory |

pub mod answer;
pub mod budget;
pub mod bulk;
pub mod client;
pub mod connection;
pub mod exchange;
pub mod forward;
pub mod inspect;
pub mod io;
pub mod pipeline;
pub mod policy;
pub mod record;
pub mod refusal;
pub mod relay;
pub mod request_id;
pub mod scratch;
pub mod shared;
pub mod tunnel;
pub mod upload;
pub mod worker;

pub use policy::Policy;
pub use shared::Shared;
pub use worker::Worker;
