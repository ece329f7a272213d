//! What every proxy shares on the side of the backends.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`backend`] | where a backend is, and how a connection to it is made |
//! | [`pool`] | one worker's ready connections to a backend |

pub mod backend;
pub mod pool;

pub use backend::Backend;
pub use pool::{Connection, Pool};
