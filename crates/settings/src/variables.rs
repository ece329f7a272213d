//! `${VAR}` and `${VAR:-default}` in the strings of the file; `$$` is one `$`.

use std::fmt;

/// A string after its variables were replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expanded {
    /// It had none.
    AsWritten(String),
    /// It had some: what it says now may be of any type.
    Replaced(String),
}

/// Why a string cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Error {
    /// The variable of this name is not set, or empty, and no default is given.
    Unset(String),
    /// A `${` that is not closed, or holds no name. The string is not shown: it may be a secret.
    Malformed,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unset(name) => {
                write!(f, "the variable {name} is not set; set it, or write ${{{name}:-a default}}")
            }
            Error::Malformed => {
                f.write_str("expected ${NAME} or ${NAME:-default} after $; a plain $ before { is written $$")
            }
        }
    }
}

/// Replaces every variable in `text`. As in a shell, `:-` also stands in for an empty variable; unlike there, a
/// default holds no variables of its own, and an empty variable without a default is an error.
pub(crate) fn expand<'e>(text: &str, lookup: impl Fn(&str) -> Option<&'e str>) -> Result<Expanded, Error> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut replaced = false;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let Some(inside) = after.strip_prefix('{') else {
            out.push('$');
            rest = after;
            continue;
        };
        let (inside, after_it) = inside.split_once('}').ok_or(Error::Malformed)?;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        if !is_name(name) {
            return Err(Error::Malformed);
        }
        let value = lookup(name).filter(|value| !value.is_empty()).or(default);
        out.push_str(value.ok_or_else(|| Error::Unset(name.to_owned()))?);
        replaced = true;
        rest = after_it;
    }
    out.push_str(rest);
    Ok(if replaced { Expanded::Replaced(out) } else { Expanded::AsWritten(out) })
}

/// POSIX: letters, digits and underscores, no digit first.
fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<Expanded, Error> {
        expand(text, |name| match name {
            "HOST" => Some("backend"),
            "PORT" => Some("8080"),
            "EMPTY" => Some(""),
            _ => None,
        })
    }

    #[test]
    fn variables_are_replaced_anywhere_in_a_string() {
        assert_eq!(expanded("${HOST}:${PORT}"), Ok(Expanded::Replaced("backend:8080".into())));
        assert_eq!(expanded("a ${NONE:-b c} d"), Ok(Expanded::Replaced("a b c d".into())));
        assert_eq!(expanded("${EMPTY:-full}"), Ok(Expanded::Replaced("full".into())));
        assert_eq!(expanded("${NONE:-}"), Ok(Expanded::Replaced("".into())));
    }

    #[test]
    fn an_unset_or_empty_variable_is_an_error_that_names_it() {
        assert_eq!(expanded("x${NONE}"), Err(Error::Unset("NONE".into())));
        assert_eq!(expanded("${EMPTY}"), Err(Error::Unset("EMPTY".into())));
    }

    #[test]
    fn a_dollar_can_be_written() {
        assert_eq!(expanded("$$${HOST}"), Ok(Expanded::Replaced("$backend".into())));
        assert_eq!(expanded("$${HOST}"), Ok(Expanded::AsWritten("${HOST}".into())));
        assert_eq!(expanded("5$ and $5"), Ok(Expanded::AsWritten("5$ and $5".into())));
    }

    #[test]
    fn a_variable_that_is_not_closed_or_has_no_name_is_an_error() {
        for text in ["${HOST", "${}", "${9}", "${a b}", "${:-x}"] {
            assert_eq!(expanded(text), Err(Error::Malformed), "{text}");
        }
    }
}
