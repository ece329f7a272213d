//! `SecRuleRemove…` and `SecRuleUpdate…`: changes to rules that were read before.

use crate::suggest::quoted;
use crate::{Item, Rule, Target};
use regex::{Regex, RegexBuilder};

/// Which rules are meant.
pub(crate) enum Selection {
    /// Ids from–to.
    Ids(Vec<(u64, u64)>),
    /// An expression that a tag matches.
    Tag(Regex),
    /// An expression that the message matches.
    Msg(Regex),
}

impl Selection {
    /// Reads ids and ranges (`1 2-5,7`).
    pub fn ids<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let ids: Vec<_> = words
            .flat_map(|word| word.split(|c: char| c == ',' || c.is_ascii_whitespace()))
            .filter(|word| !word.is_empty())
            .map(id_range)
            .collect::<Result<_, _>>()?;
        if ids.is_empty() { Err("expected ids, as 942100 942200-942299".into()) } else { Ok(Self::Ids(ids)) }
    }

    /// Whether a rule is meant.
    pub fn holds(&self, rule: &Rule) -> bool {
        match self {
            Self::Ids(ranges) => {
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&rule.actions.id))
            }
            Self::Tag(expression) => {
                rule.actions.tags.iter().any(|tag| expression.is_match(&tag.to_string()))
            }
            Self::Msg(expression) => {
                rule.actions.msg.as_ref().is_some_and(|msg| expression.is_match(&msg.to_string()))
            }
        }
    }

    /// The rules that are meant.
    pub fn rules<'a>(&'a self, items: &'a mut [Item]) -> impl Iterator<Item = &'a mut Rule> {
        items.iter_mut().filter_map(|item| match item {
            Item::Rule(rule) if self.holds(rule) => Some(&mut **rule),
            _ => None,
        })
    }
}

/// `942100`, `942100-942199`.
pub(crate) fn id_range(text: &str) -> Result<(u64, u64), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim_ascii().parse(), last.trim_ascii().parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok((first, last)),
        _ => Err(format!("{}: expected an id or a range of ids, as 942100 or 942100-942199", quoted(text))),
    }
}

/// An expression over tags or messages.
pub(crate) fn matcher(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text)
        .size_limit(1 << 20)
        .build()
        .map_err(|_| format!("{}: expected an expression, in which . ( [ * + ? are special", quoted(text)))
}

/// Adds targets, those that are left out among them, to the rule's first link or to the one with this number. Whether there is
/// such a link, and it looks at something.
pub(crate) fn add_targets(rule: &mut Rule, link: usize, targets: &[Target]) -> bool {
    let Some(test) = rule.links.get_mut(link).and_then(|link| link.test.as_mut()) else { return false };
    for target in targets {
        if !test.targets.contains(target) {
            test.targets.push(target.clone());
        }
    }
    true
}
