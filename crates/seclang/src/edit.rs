//! `SecRuleRemove…` and `SecRuleUpdate…`: changes to rules that were read before.

use crate::action::{Place, apply};
use crate::action_list::action_list;
use crate::draft::Draft;
use crate::load::Loader;
use crate::rule::Words;
use crate::suggest::quoted;
use crate::target::parse_targets;
use crate::{Item, Rule, Span, Target};
use regex::{Regex, RegexBuilder};

/// Variables of one rule, those that were added later among them.
const TARGETS_MAX: usize = 4096;
/// Rules looked at by all changes together.
const LOOKS_MAX: usize = 50_000_000;
/// What it costs to compile the expression of a change, in rules looked at.
const EXPRESSION_COST: usize = 1000;

/// Which rules are meant.
enum Selection {
    /// Ids from–to.
    Ids(Vec<(u64, u64)>),
    /// An expression that a tag matches.
    Tag(Regex),
    /// An expression that the message matches.
    Msg(Regex),
}

impl Selection {
    /// Reads ids and ranges (`1 2-5,7`).
    fn ids<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let ids: Vec<_> = words
            .flat_map(|word| word.split(|c: char| c == ',' || c.is_ascii_whitespace()))
            .filter(|word| !word.is_empty())
            .map(id_range)
            .collect::<Result<_, _>>()?;
        if ids.is_empty() { Err("expected ids, as 942100 942200-942299".into()) } else { Ok(Self::Ids(ids)) }
    }

    /// Whether a rule is meant.
    fn holds(&self, rule: &Rule) -> bool {
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
    fn rules<'a>(&'a self, items: &'a mut [Item]) -> impl Iterator<Item = &'a mut Rule> {
        items.iter_mut().filter_map(|item| match item {
            Item::Rule(rule) if self.holds(rule) => Some(&mut **rule),
            _ => None,
        })
    }
}

impl Loader<'_> {
    /// A directive that changes rules read before it; `None`: it is none of these.
    pub(crate) fn edit(&mut self, span: Span, name: &str, words: Words<'_>) -> Option<Result<(), String>> {
        let all = words.iter().map(|word| &**word);
        if name.starts_with("secruleremove") || name.starts_with("secruleupdate") {
            self.looks += self.set.items.len() + EXPRESSION_COST;
            if self.looks > LOOKS_MAX {
                return Some(Err("too many changes to too many rules; change the rules themselves".into()));
            }
        }
        Some(match name {
            "secruleremovebyid" => Selection::ids(all).map(|selection| self.remove(span, &selection)),
            "secruleremovebytag" => {
                one(words).map(Selection::Tag).map(|selection| self.remove(span, &selection))
            }
            "secruleremovebymsg" => {
                one(words).map(Selection::Msg).map(|selection| self.remove(span, &selection))
            }
            "secruleupdatetargetbyid" => self.update_targets(span, words, |first| {
                let (ids, link) = numbered(first)?;
                Ok((Selection::ids(std::iter::once(ids))?, link))
            }),
            "secruleupdatetargetbytag" => {
                self.update_targets(span, words, |first| Ok((Selection::Tag(matcher(first)?), 0)))
            }
            "secruleupdatetargetbymsg" => {
                self.update_targets(span, words, |first| Ok((Selection::Msg(matcher(first)?), 0)))
            }
            "secruleupdateactionbyid" => self.update_actions(span, words),
            _ => return None,
        })
    }

    fn remove(&mut self, span: Span, selection: &Selection) {
        let before = self.set.items.len();
        let ids = &mut self.ids;
        self.set.items.retain(|item| match item {
            Item::Rule(rule) if selection.holds(rule) => {
                ids.remove(&rule.actions.id);
                false
            }
            _ => true,
        });
        if self.set.items.len() == before {
            self.note_nothing(span);
        }
    }

    fn note_nothing(&mut self, span: Span) {
        self.note(span, "no rule above this line is meant: it changes only what was read before it".into());
    }

    fn update_targets(
        &mut self,
        span: Span,
        words: Words<'_>,
        select: impl FnOnce(&str) -> Result<(Selection, usize), String>,
    ) -> Result<(), String> {
        let [first, targets] = words else {
            return Err(
                "expected two words: which rules, and \"!ARGS:name\"; a third, to replace a target, is not \
                        supported: remove the rule and write it anew"
                    .into(),
            );
        };
        let (selection, link) = select(first)?;
        let targets = parse_targets(targets)?;
        let mut changed = 0;
        for rule in selection.rules(&mut self.set.items) {
            changed += usize::from(add_targets(rule, link, &targets));
            let looks_at = rule.links.get(link).and_then(|link| link.test.as_ref());
            if looks_at.is_some_and(|test| test.targets.len() > TARGETS_MAX) {
                let id = rule.actions.id;
                return Err(format!(
                    "rule {id} would look at more than {TARGETS_MAX} variables; use an expression"
                ));
            }
        }
        if changed == 0 {
            self.note_nothing(span);
        }
        Ok(())
    }

    fn update_actions(&mut self, span: Span, words: Words<'_>) -> Result<(), String> {
        let [first, text] = words else {
            return Err("SecRuleUpdateActionById: expected two words: an id, and \"pass,nolog\"".into());
        };
        let (ids, number) = numbered(first)?;
        let selection = Selection::ids(std::iter::once(ids))?;
        let list = action_list(text)?;
        let mut notes = Vec::new();
        let mut changed = 0;
        for rule in selection.rules(&mut self.set.items) {
            let Some(link) = rule.links.get(number) else { continue };
            let mut draft = Draft::of(rule, link);
            let defaults = &self.defaults[rule.actions.phase as usize - 1];
            for written in &list {
                let place = if number == 0 { Place::Update } else { Place::Link };
                notes.extend(apply(&mut draft, written, place, defaults)?);
            }
            let (actions, new) = draft.finish(link.span, link.test.clone());
            if number == 0 {
                rule.actions = actions;
            }
            if let Some(link) = rule.links.get_mut(number) {
                *link = new;
            }
            changed += 1;
        }
        self.set.notes.extend(notes.into_iter().map(|note| (span, note)));
        if changed == 0 {
            self.note_nothing(span);
        }
        Ok(())
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
fn add_targets(rule: &mut Rule, link: usize, targets: &[Target]) -> bool {
    let Some(test) = rule.links.get_mut(link).and_then(|link| link.test.as_mut()) else { return false };
    for target in targets {
        if !test.targets.contains(target) {
            test.targets.push(target.clone());
        }
    }
    true
}

/// The one word, an expression.
fn one(words: Words<'_>) -> Result<regex::Regex, String> {
    match words {
        [word] => matcher(word),
        _ => Err(format!("expected one expression, found {} words", words.len())),
    }
}

/// `942100:1`: the rule, and which of its chain.
fn numbered(text: &str) -> Result<(&str, usize), String> {
    match text.split_once(':') {
        None => Ok((text, 0)),
        Some((ids, number)) => {
            let number = number.parse().map_err(|_| format!("{}: expected id:number", quoted(text)))?;
            Ok((ids, number))
        }
    }
}
