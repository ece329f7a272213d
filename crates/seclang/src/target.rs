//! Targets: `ARGS|!ARGS:/^x/|&REQUEST_HEADERS:Host|XML:/*`.

use crate::suggest::quoted;
use crate::{Selector, Target, Variable};
use std::fmt;

/// Reads a list of targets, between which stands `|` or `,`.
pub(crate) fn parse_targets(text: &str) -> Result<Vec<Target>, String> {
    let mut targets = Vec::new();
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("no variables; expected a list as ARGS|REQUEST_HEADERS:Host".into());
    }
    loop {
        let (target, after) = parse_target(rest)?;
        if target.variable == Variable::Xml && !target.excluded {
            check_xml(&target.selector)?;
        }
        targets.push(target);
        let after = after.trim_start();
        match after.chars().next() {
            None => return Ok(targets),
            Some('|' | ',') => rest = after.get(1..).unwrap_or_default().trim_start(),
            Some(_) => {
                return Err(format!("{} in a list of variables; expected | or the end", quoted(after)));
            }
        }
    }
}

/// Reads one target of `ctl:ruleRemoveTarget…`: what is left out.
pub(crate) fn parse_removed(text: &str) -> Result<Target, String> {
    let text = text.trim();
    let (target, rest) = parse_target(text.strip_prefix('!').unwrap_or(text))?;
    match rest {
        "" if target.count => Err(format!("{target}: expected a variable, as ARGS:name; take the & away")),
        "" => Ok(target),
        _ => Err(format!("{} behind {target}; expected one variable, and one ctl for each", quoted(rest))),
    }
}

/// Reads one target: what it is, and what stands behind it.
fn parse_target(text: &str) -> Result<(Target, &str), String> {
    let (excluded, text) = match text.strip_prefix('!') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    };
    let (count, text) = match text.strip_prefix('&') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    };
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return Err(format!("{} in a list of variables; expected a name", quoted(text)));
    }
    let variable = Variable::known(name)?;
    let (selector, rest) = match rest.strip_prefix(':') {
        Some(rest) => parse_selector(variable, rest)?,
        None => (Selector::All, rest),
    };
    if variable == Variable::Xml && selector != Selector::All {
        check_xml(&selector)?;
    }
    if excluded && count {
        return Err(format!("!&{name}: a count cannot be left out; write !{name} or &{name}"));
    }
    Ok((Target { variable, selector, count, excluded }, rest))
}

/// Reads what stands behind the colon: `name`, `/expression/`, `'either'`, a path of XML.
fn parse_selector(variable: Variable, text: &str) -> Result<(Selector, &str), String> {
    let name = variable.name();
    if !variable.is_collection() {
        return Err(format!("{name} holds one value; take the selector {} away", quoted(text)));
    }
    let quote = text.strip_prefix('\'');
    let (chosen, rest) = if let Some(inner) = quote {
        let end = find_unescaped(inner, b'\'', |_| true)
            .ok_or_else(|| format!("{name}:{}: expected a closing '", quoted(text)))?;
        (inner.get(..end).unwrap_or_default(), inner.get(end + 1..).unwrap_or_default())
    } else if let (Some(inner), false) = (text.strip_prefix('/'), variable == Variable::Xml) {
        let end = find_unescaped(inner, b'/', |next| matches!(next, None | Some(b'|' | b',' | b' ' | b'\t')))
            .ok_or_else(|| format!("{name}:{}: expected a closing /", quoted(text)))?;
        text.split_at_checked(end + 2).unwrap_or((text, ""))
    } else {
        let end = text.find(|c: char| c == '|' || c == ',' || c.is_ascii_whitespace()).unwrap_or(text.len());
        text.split_at(end)
    };
    let selector = match chosen.strip_prefix('/').and_then(|inner| inner.strip_suffix('/')) {
        Some(expression) if variable != Variable::Xml => Selector::Pattern(expression.into()),
        _ if quote.is_some() => Selector::Name(chosen.replace("\\'", "'").into()),
        _ => Selector::Name(chosen.into()),
    };
    match &selector {
        Selector::Name(chosen) | Selector::Pattern(chosen) if chosen.is_empty() => {
            Err(format!("{name}: is followed by no name; expected {name}:name or {name}:/expression/"))
        }
        _ => Ok((selector, rest)),
    }
}

/// Where the first `wanted` stands that no backslash precedes and what follows it is as `follows` wants.
fn find_unescaped(text: &str, wanted: u8, follows: impl Fn(Option<u8>) -> bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut escaped = false;
    bytes.iter().enumerate().position(|(place, byte)| {
        let found = !escaped && *byte == wanted && follows(bytes.get(place + 1).copied());
        escaped = !escaped && *byte == b'\\';
        found
    })
}

/// The document's text and its attributes are what can be looked at.
fn check_xml(selector: &Selector) -> Result<(), String> {
    match selector {
        Selector::Name(path) if matches!(&**path, "/*" | "//@*") => Ok(()),
        Selector::All => {
            Err("XML: expected a path; write XML:/* (all text) or XML://@* (all attributes)".into())
        }
        Selector::Name(path) | Selector::Pattern(path) => {
            Err(format!("XML:{path} is not supported; use XML:/* (all text) or XML://@* (all attributes)"))
        }
    }
}

impl fmt::Display for Target {
    /// As it is written in a rule.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.excluded {
            f.write_str("!")?;
        }
        if self.count {
            f.write_str("&")?;
        }
        f.write_str(self.variable.name())?;
        match &self.selector {
            Selector::All => Ok(()),
            Selector::Name(name) => write!(f, ":{name}"),
            Selector::Pattern(expression) => write!(f, ":/{expression}/"),
        }
    }
}
