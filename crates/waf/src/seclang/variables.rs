//! What takes the values of a request: the engine, or in tests a list.

use secbeat_seclang::Variable;

/// Takes values by the variable that they belong to.
pub trait Variables {
    /// Gives a variable its one value.
    fn set(&mut self, variable: Variable, value: &[u8]);
    /// Adds a named value to a collection.
    fn add(&mut self, variable: Variable, name: &[u8], value: &[u8]);
}

impl Variables for secbeat_engine::Transaction<'_> {
    fn set(&mut self, variable: Variable, value: &[u8]) {
        secbeat_engine::Transaction::set(self, variable, value);
    }

    fn add(&mut self, variable: Variable, name: &[u8], value: &[u8]) {
        secbeat_engine::Transaction::add(self, variable, name, value);
    }
}

/// What was set and added, in order, for tests.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct Listed(pub(crate) Vec<(Variable, String, String)>);

#[cfg(test)]
impl Variables for Listed {
    fn set(&mut self, variable: Variable, value: &[u8]) {
        self.add(variable, b"", value);
    }

    fn add(&mut self, variable: Variable, name: &[u8], value: &[u8]) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.0.push((variable, text(name), text(value)));
    }
}

#[cfg(test)]
impl Listed {
    /// The values of one variable, each `name=value`, or `value` where it has no name.
    pub(crate) fn of(&self, variable: Variable) -> Vec<String> {
        let of = self.0.iter().filter(|(known, ..)| *known == variable);
        of.map(|(_, name, value)| if name.is_empty() { value.clone() } else { format!("{name}={value}") })
            .collect()
    }
}
