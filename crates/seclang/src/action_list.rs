//! The text of actions, cut: `id:1,phase:2,msg:'a, b',setvar:tx.a=1,pass`.

use crate::suggest::quoted;
use std::borrow::Cow;

/// An action as written: its name, and what stands behind the colon.
pub(crate) type Written<'a> = (&'a str, Option<Cow<'a, str>>);

/// Cuts the text of actions at its commas, but for those between `'`. Within `'` a backslash before `'` is taken away.
///
/// # Errors
/// A quote that is not closed, something behind it, or no name before a colon.
pub(crate) fn action_list(text: &str) -> Result<Vec<Written<'_>>, String> {
    let mut actions = Vec::new();
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(',') {
            // Two commas, or one at the end: ModSecurity reads over them.
            rest = after.trim_ascii_start();
            continue;
        }
        let end = rest.find([':', ',']).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let name = name.trim_ascii_end();
        if name.is_empty() {
            return Err(format!("{} in the actions; expected a name as id, phase or msg", quoted(rest)));
        }
        let Some(value) = behind.strip_prefix(':') else {
            actions.push((name, None));
            rest = behind;
            continue;
        };
        let (value, after) = cut_value(name, value.trim_ascii_start())?;
        actions.push((name, Some(value)));
        rest = after;
    }
    Ok(actions)
}

fn cut_value<'a>(name: &str, text: &'a str) -> Result<(Cow<'a, str>, &'a str), String> {
    let Some(inner) = text.strip_prefix('\'') else {
        let end = text.find(',').unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return Ok((Cow::Borrowed(value.trim_ascii_end()), rest));
    };
    let mut escaped = false;
    let end = inner
        .bytes()
        .position(|byte| {
            let found = byte == b'\'' && !escaped;
            escaped = byte == b'\\' && !escaped;
            found
        })
        .ok_or_else(|| format!("{name}:{}: expected a closing '", quoted(text)))?;
    let value = inner.get(..end).unwrap_or_default();
    let rest = inner.get(end + 1..).unwrap_or_default().trim_ascii_start();
    if !rest.is_empty() && !rest.starts_with(',') {
        return Err(format!(
            "{} behind {name}:'…'; expected a comma (a ' within is written \\')",
            quoted(rest)
        ));
    }
    let value =
        if value.contains("\\'") { Cow::Owned(value.replace("\\'", "'")) } else { Cow::Borrowed(value) };
    Ok((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(String, Option<String>)> {
        let list = action_list(text).unwrap();
        list.into_iter().map(|(name, value)| (name.to_owned(), value.map(Cow::into_owned))).collect()
    }

    #[test]
    fn commas_part_actions_but_not_within_quotes() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            cut(r"id:1, msg:'a, \'b\'' ,setvar:tx.a=1 , pass,"),
            [
                ("id".to_owned(), some("1")),
                ("msg".to_owned(), some("a, 'b'")),
                ("setvar".to_owned(), some("tx.a=1")),
                ("pass".to_owned(), None),
            ]
        );
    }

    #[test]
    fn what_cannot_be_cut_is_told() {
        assert!(action_list("msg:'a").unwrap_err().contains("closing"));
        assert!(action_list("msg:'a'b,pass").unwrap_err().contains("expected a comma"));
        assert!(action_list(":a").unwrap_err().contains("expected a name"));
    }
}
