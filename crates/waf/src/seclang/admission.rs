//! What a site has switched off and what exceptions take out, asked by the engine at each match before anything comes of it.

use super::attached::Attached;
use super::names::names;
use crate::Context;
use crate::exception_lookup::{Asked, Circumstances, Lookup};
use secbeat_engine::Admission;
use secbeat_seclang::Variable;
use std::cell::Cell;

/// The gate of one request.
pub struct Gate<'t> {
    pub(crate) rules: &'t Attached,
    /// What stands before the first of the program's rules in the numbering of all rules.
    pub(crate) first: usize,
    pub(crate) context: &'t Context<'t>,
    pub(crate) lookup: &'t Lookup,
    /// Every form of the request's path.
    pub(crate) paths: &'t dyn Fn() -> &'t [Vec<u8>],
    /// Matches that did not count.
    pub(crate) excepted: &'t Cell<u32>,
}

impl Admission for Gate<'_> {
    fn admit(&self, rule: u32, variable: Variable, name: &[u8]) -> bool {
        let Context { client, host, now, scope, exceptions, .. } = *self.context;
        let index = self.first + rule as usize;
        if scope.is_disabled(index) {
            return false;
        }
        if exceptions.is_empty() {
            return true;
        }
        let Some(label) = self.rules.label(rule) else { return true };
        let names = names(variable, name);
        let asked = Asked { rule: index, id: &label.id, category: label.category, names: &names };
        let circumstances = Circumstances { client, host, now, paths: self.paths };
        let newly = || self.excepted.set(self.excepted.get() + 1);
        !self.lookup.excepts(exceptions, &asked, &circumstances, newly)
    }
}
