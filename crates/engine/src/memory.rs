//! What a transaction works in, lent from one to the next so that none allocates.

use crate::values::Values;

/// The working memory of a worker. It keeps its capacity from one transaction to the next, but no more than a mebibyte of
/// anything.
#[derive(Debug, Default)]
pub struct Memory {
    pub(crate) values: Values,
}
