//! HTTP/1.1: from a client's connection to the backend and back.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`accept`] | from a listener to a connection: who is let in, TLS |
//! | [`session`] | the life of a connection: one request after another |
//! | [`pipeline`] | **the stages of a request, in order** |
//! | [`client`], [`host`] | who the client is, behind proxies that we trust; the name of the host it asks for |
//! | [`rates`] | how often a client may ask |
//! | [`inspect`], [`hold`], [`sanitize`] | the firewall over head and body; a body that waits for it; a head without what it took out |
//! | [`trial`] | what the firewall would do with a request that nobody has sent |
//! | [`exchange`] | the request to the backend, and its answer |
//! | [`upload`], [`relay`], [`tunnel`] | bodies to the backend, answers to the client, upgraded connections |
//! | [`bulk`] | the rest of a large answer, at the least cost a byte |
//! | [`forward`] | heads, written anew for the other side |
//! | [`refusal`], [`answer`], [`pages`] | from cause to status, event and the answer of our own |
//! | [`facts`], [`stage`], [`outcome`] | what is known of a request, how far it came, and how it can end |
//! | [`record`], [`ledger`] | what is left of a request: metrics and events; trace, access log and record |
//! | [`policy`], [`site`] | what requests are held against, and those for one host |
//! | [`kill_switch`] | what an operator turns when it is the firewall that hurts |
//! | [`connection`], [`worker`], [`shared`] | what belongs to a connection, to a thread, to all threads |
//! | [`roll_call`] | who is connected, for the control side |
//! | [`budget`], [`io`], [`request_id`], [`scratch`] | memory for bodies, two-way streams, ids, working memory |

pub mod accept;
pub mod answer;
pub mod budget;
pub mod bulk;
pub mod client;
pub mod connection;
pub mod exchange;
pub mod facts;
pub mod forward;
pub mod hold;
pub mod host;
pub mod inspect;
pub mod io;
pub mod kill_switch;
pub mod ledger;
pub mod outcome;
pub mod pages;
pub mod pipeline;
pub mod policy;
pub mod rates;
pub mod record;
pub mod refusal;
pub mod relay;
pub mod request_id;
pub mod roll_call;
pub mod sanitize;
pub mod scratch;
pub mod session;
pub mod shared;
pub mod site;
pub mod stage;
pub mod trial;
pub mod tunnel;
pub mod upload;
pub mod worker;

pub use policy::Policy;
pub use shared::Shared;
pub use worker::Worker;
