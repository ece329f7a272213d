//! Actions that change what is remembered: `setvar`, `expirevar`, `initcol`, `setuid`, `sanitiseArg`.

use crate::suggest::quoted;
use crate::{Change, Step, Text, Variable};

/// `setvar:tx.name=value`, `=+value`, `=-value`, `!tx.name`, `tx.name`.
pub(crate) fn set_variable(text: &str) -> Result<Step, String> {
    let (unset, text) = match text.trim_ascii().strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, text.trim_ascii()),
    };
    let (name, value) = split_assignment(text);
    let change = match (unset, value) {
        (true, None) => Change::Unset,
        (true, Some(_)) => return Err(format!("setvar:!{}: takes no value", quoted(text))),
        (false, None) => Change::Set(Text::parse("1")?),
        (false, Some(value)) => match value.as_bytes().first() {
            Some(b'+') => Change::Add(amount(value)?),
            Some(b'-') => Change::Subtract(amount(value)?),
            _ => Change::Set(Text::parse(value)?),
        },
    };
    let (collection, name) = variable("setvar", name)?;
    Ok(Step::SetVar { collection, name, change })
}

/// What stands behind the sign.
fn amount(value: &str) -> Result<Text, String> {
    Text::parse(value.get(1..).unwrap_or_default().trim_ascii())
}

/// `expirevar:ip.name=60`.
pub(crate) fn expire_variable(text: &str) -> Result<Step, String> {
    let (name, Some(seconds)) = split_assignment(text.trim_ascii()) else {
        return Err(format!("expirevar:{}: expected collection.name=seconds", quoted(text)));
    };
    let (collection, name) = variable("expirevar", name)?;
    let seconds = Text::parse(seconds.trim_ascii())?;
    if seconds.literal().is_some_and(|literal| literal.parse::<u32>().is_err()) {
        return Err(format!("expirevar:{}: expected a number of seconds", quoted(text)));
    }
    Ok(Step::ExpireVar { collection, name, seconds })
}

/// `initcol:ip=%{REMOTE_ADDR}`.
pub(crate) fn open_collection(text: &str) -> Result<Step, String> {
    let (Some(collection), Some(key)) = split_of(text) else {
        return Err(format!("initcol:{}: expected collection=key, as ip=%{{REMOTE_ADDR}}", quoted(text)));
    };
    let collection = Variable::known(collection)?;
    if !collection.is_persistent() {
        return Err(format!(
            "initcol:{}: {} does not outlive a request; expected ip, global, session, user or resource",
            quoted(text),
            collection.name()
        ));
    }
    Ok(Step::InitCol(collection, Text::parse(key)?))
}

fn split_of(text: &str) -> (Option<&str>, Option<&str>) {
    let (name, value) = split_assignment(text.trim_ascii());
    (Some(name.trim_ascii()), value.map(str::trim_ascii).filter(|value| !value.is_empty()))
}

/// `setenv:name=value`.
pub(crate) fn set_environment(text: &str) -> Result<Step, String> {
    let (name, value) = split_assignment(text.trim_ascii());
    Ok(Step::SetEnv(Text::parse(name)?, Text::parse(value.unwrap_or_default())?))
}

/// `sanitiseArg:password` and its like.
pub(crate) fn sanitise(variable: Variable, name: Option<&str>) -> Result<Step, String> {
    match name {
        Some("") => Err(format!("expected the name of one of {}", variable.name())),
        name => Ok(Step::Sanitise(variable, name.map(Into::into))),
    }
}

/// Cuts at the first `=` that stands in no macro.
fn split_assignment(text: &str) -> (&str, Option<&str>) {
    let mut in_macro = false;
    let mut previous = b' ';
    let at = text.bytes().position(|byte| {
        match byte {
            b'{' if previous == b'%' => in_macro = true,
            b'}' => in_macro = false,
            _ => {}
        }
        previous = byte;
        byte == b'=' && !in_macro
    });
    match at.and_then(|at| text.split_at_checked(at)) {
        Some((name, value)) => (name, value.strip_prefix('=')),
        None => (text, None),
    }
}

/// `tx.name`: a collection that can be written, and a name in it.
fn variable(action: &str, text: &str) -> Result<(Variable, Text), String> {
    let text = text.trim_ascii();
    let expected = || format!("{action}:{}: expected collection.name, as tx.score", quoted(text));
    let (collection, name) =
        text.split_once(['.', ':']).filter(|(_, name)| !name.is_empty()).ok_or_else(expected)?;
    let collection =
        Variable::known(collection).map_err(|error| format!("{action}:{}: {error}", quoted(text)))?;
    if collection != Variable::Tx && !collection.is_persistent() {
        return Err(format!(
            "{action}:{}: {} cannot be written; expected tx, ip, global, session, user or resource",
            quoted(text),
            collection.name()
        ));
    }
    Ok((collection, Text::parse(name)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let Step::SetVar { collection, name, change } = set_variable(text).unwrap() else {
            panic!("no setvar");
        };
        let (sign, value) = match &change {
            Change::Set(value) => ("=", value.to_string()),
            Change::Add(value) => ("=+", value.to_string()),
            Change::Subtract(value) => ("=-", value.to_string()),
            Change::Unset => ("!", String::new()),
        };
        format!("{}.{name}{sign}{value}", collection.name())
    }

    #[test]
    fn setvar_sets_adds_subtracts_and_unsets() {
        assert_eq!(shown("tx.a=b c=d"), "TX.a=b c=d");
        assert_eq!(shown("tx.a"), "TX.a=1");
        assert_eq!(shown("!ip.a"), "IP.a!");
        assert_eq!(shown("tx.s=+%{tx.critical}"), "TX.s=+%{TX.critical}");
        assert_eq!(shown("tx.s=-5"), "TX.s=-5");
        assert_eq!(shown("tx.n_%{MATCHED_VAR_NAME}=.%{tx.1}"), "TX.n_%{MATCHED_VAR_NAME}=.%{TX.1}");
        assert_eq!(shown("tx.a="), "TX.a=");
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        for wrong in ["a=1", "tx.=1", "args.a=1", "nope.a=1", "!tx.a=1", "tx.a=%{nope}"] {
            assert!(set_variable(wrong).is_err(), "{wrong}");
        }
        assert!(open_collection("tx=%{REMOTE_ADDR}").unwrap_err().contains("does not outlive"));
        assert!(open_collection("ip").is_err());
        assert!(expire_variable("ip.a").is_err());
        assert!(expire_variable("ip.a=soon").is_err());
    }
}
