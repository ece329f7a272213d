//! Exceptions in JSON: `{"exceptions": [{"rules": […], "parameters": […]}, …]}`, read strictly.

use crate::exception::KEYS;
use crate::rule_error::Subject;
use crate::strict_json::{Shape, entries};
use crate::{Exception, RuleError};

const SHAPE: Shape = Shape {
    subject: Subject::Exception,
    list: "exceptions",
    whole: "exceptions: {\"exceptions\": [{\"rules\": […], \"parameters\": […]}]}",
    entry: "an exception: {\"rules\": […], \"parameters\": […]}",
    keys: KEYS,
    required: &[],
};

/// Reads exceptions. Unknown keys, repeated keys, repeated ids and wrong types are errors that say where they are. Patterns
/// are not looked at here: see [`ExceptionSet::compile`](crate::ExceptionSet::compile).
pub fn parse_exceptions(text: &str) -> Result<Vec<Exception>, RuleError> {
    entries(text, &SHAPE, |exception: &Exception| &exception.id)
}
