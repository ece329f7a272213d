//! What the tests of whole programs share: it starts them, stands before and behind them, and looks at every byte.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`node`] | a `mitigation-node` in a folder of its own, from start to kill |
//! | [`setup`] | what a node is started with |
//! | [`api`] | the calls of an operator |
//! | [`origin`] | a backend that keeps every byte it gets and answers as it is told |
//! | [`client`] | a client that sends any bytes and reads answers strictly |
//! | [`message`] | reading HTTP/1 off a stream, byte by byte |
//! | [`certs`] | certificates |
//! | [`netns`] | network namespaces, where the tests run as root |
//! | [`programs`] | where the programs are, built once |
//! | [`openapi`] | the API's description |
//! | [`oracle`] | ModSecurity 3, to compare with |
//! | [`wait`] | waiting for a condition |
//!
//! No test waits for a fixed time: every wait is for a condition, and gives up loudly after [`wait::DEADLINE`].

// These are tests: what fails in them is to panic, with its reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod api;
pub mod certs;
pub mod client;
pub mod message;
pub mod netns;
pub mod node;
pub mod openapi;
pub mod oracle;
pub mod origin;
pub mod programs;
pub mod setup;
pub mod wait;

pub use certs::Certificate;
pub use client::Client;
pub use message::{Answer, Received, request};
pub use node::Node;
pub use origin::Origin;
pub use setup::Setup;
pub use wait::{DEADLINE, eventually, until};
