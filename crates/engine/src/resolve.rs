//! From targets to values.

use crate::datum::{Datum, Found, Name};
use crate::program::Program;
use crate::render;
use crate::state::State;
use crate::target::{Selector, Target};
use crate::text::{Part, Text};
use crate::values::Span;
use secbeat_pattern::MatchCache;
use secbeat_seclang::Variable::{self, *};

/// The variables to which the values of a collection were added, where that is all there is to it.
pub fn sources(variable: Variable) -> Option<&'static [Variable]> {
    Some(match variable {
        Args | ArgsNames => &[ArgsGet, ArgsPost],
        ArgsGet | ArgsGetNames => &[ArgsGet],
        ArgsPost | ArgsPostNames => &[ArgsPost],
        RequestCookies | RequestCookiesNames => &[RequestCookies],
        RequestHeaders | RequestHeadersNames => &[RequestHeaders],
        ResponseHeaders | ResponseHeadersNames => &[ResponseHeaders],
        _ => return None,
    })
}

/// Whether a collection is of the names of another's values.
pub fn names_of(variable: Variable) -> bool {
    matches!(
        variable,
        ArgsNames
            | ArgsGetNames
            | ArgsPostNames
            | RequestCookiesNames
            | RequestHeadersNames
            | ResponseHeadersNames
    )
}

/// Names and values of what is no view of something else: TX, the persistent collections, and what was added or set.
pub fn named_by<'s>(
    _program: &'s Program,
    state: &'s State,
    variable: Variable,
) -> impl Iterator<Item = (Name, Datum)> + 's {
    let tx = (variable == Tx).then(|| state.tx.iter()).into_iter().flatten();
    let kept =
        variable.is_persistent().then(|| state.kept.iter(variable, state.now_ms)).into_iter().flatten();
    let rest = state.values.of(variable).map(move |(_, value)| {
        let name = if variable.is_collection() { Name::Bytes(value.name) } else { Name::None };
        (name, Datum::Bytes(value.bytes))
    });
    tx.chain(kept).chain(rest)
}

/// Appends what a target stands for. What `left_out` says is neither there nor counted.
pub fn resolve(
    program: &Program,
    state: &mut State,
    cache: &mut MatchCache,
    target: &Target,
    left_out: &mut dyn FnMut(&State, &Found, &mut MatchCache) -> bool,
    out: &mut Vec<Found>,
) {
    let before = out.len();
    values(program, state, cache, target, out);
    keep_if(out, before, |found| !left_out(state, found, cache));
    if target.count {
        let count = out.len() - before;
        out.truncate(before);
        let name = match &target.selector {
            Selector::Word(word) => Name::Word(*word),
            Selector::All | Selector::Pattern(_) => Name::None,
        };
        out.push(Found {
            variable: target.variable,
            name,
            value: Datum::Number(count as i64),
            counted: true,
        });
    }
}

/// Keeps of the values from a place on those of which `wanted` says so.
fn keep_if(found: &mut Vec<Found>, from: usize, mut wanted: impl FnMut(&Found) -> bool) {
    let mut kept = from;
    for at in from..found.len() {
        // `kept <= at < len`.
        if wanted(&found[at]) {
            found[kept] = found[at];
            kept += 1;
        }
    }
    found.truncate(kept);
}

/// Whether a value is what a target names.
pub fn is_named(
    program: &Program,
    state: &State,
    cache: &mut MatchCache,
    target: &Target,
    found: &Found,
) -> bool {
    target.variable == found.variable
        && match &target.selector {
            Selector::All => true,
            Selector::Word(word) => {
                found.name == Name::Word(*word)
                    || state.name(program, found.name).eq_ignore_ascii_case(program.words.shown(*word))
            }
            Selector::Pattern(pattern) => match found.name {
                Name::Word(word) => pattern.words.binary_search(&word).is_ok(),
                name => pattern.finds(cache, state.name(program, name)),
            },
        }
}

/// The values of a target, before anything is left out or counted.
fn values(
    program: &Program,
    state: &mut State,
    cache: &mut MatchCache,
    target: &Target,
    out: &mut Vec<Found>,
) {
    let variable = target.variable;
    let found = |name, value| Found { variable, name, value, counted: false };
    if let (Tx, Selector::Word(word)) = (variable, &target.selector) {
        return out.extend(state.tx.get(*word).map(|value| found(Name::Word(*word), value)));
    }
    if let (Tx, Selector::Pattern(pattern)) = (variable, &target.selector) {
        let words = pattern.words.iter().filter_map(|word| Some((Name::Word(*word), state.tx.get(*word)?)));
        let mut made = state.tx.made().filter(|(name, _)| pattern.finds(cache, state.values.bytes(*name)));
        out.extend(words.map(|(name, value)| found(name, value)));
        return out.extend(made.by_ref().map(|(name, value)| found(Name::Bytes(name), value)));
    }
    if let Some(number) = render::number_of(state, variable) {
        return out.push(found(Name::None, Datum::Number(number)));
    }
    let before = out.len();
    if let Some(sources) = sources(variable) {
        let names = names_of(variable);
        let wanted = match &target.selector {
            Selector::Word(word) => Some(program.words.shown(*word)),
            Selector::All | Selector::Pattern(_) => None,
        };
        for (_, value) in sources.iter().flat_map(|source| state.values.of(*source)) {
            if wanted.is_some_and(|name| !state.values.bytes(value.name).eq_ignore_ascii_case(name)) {
                continue;
            }
            let bytes = if names { value.name } else { value.bytes };
            out.push(found(Name::Bytes(value.name), Datum::Bytes(bytes)));
        }
    } else {
        match variable {
            MatchedVar => {
                let value = state.last().map(|last| last.value);
                out.push(found(Name::None, value.unwrap_or(Datum::Bytes(Span::default()))));
            }
            // What matched keeps the name that it had.
            MatchedVars => return matched(program, state, cache, target, false, out),
            MatchedVarsNames => return matched(program, state, cache, target, true, out),
            MatchedVarName | Rule | Time | Duration | ModsecBuild => {
                out.push(found(Name::None, rendered(program, state, target)));
            }
            _ => out.extend(named_by(program, state, variable).map(|(name, value)| found(name, value))),
        }
        if out.len() == before && !variable.is_collection() {
            // A scalar that nobody set is empty, and that is a value.
            out.push(found(Name::None, Datum::Bytes(Span::default())));
        }
    }
    if !matches!(target.selector, Selector::All) && variable != Rule {
        keep_if(out, before, |found| is_named(program, state, cache, target, found));
    }
}

/// `MATCHED_VARS`, `MATCHED_VARS_NAMES`; a selector is held against the whole name (`ARGS:foo`).
fn matched(
    program: &Program,
    state: &mut State,
    cache: &mut MatchCache,
    target: &Target,
    names: bool,
    out: &mut Vec<Found>,
) {
    let mut called = Vec::new();
    for at in 0..state.matched.len() {
        let Some(mut found) = state.matched.get(at).copied() else { break };
        called.clear();
        state.append_called(program, &found, &mut called);
        let wanted = match &target.selector {
            Selector::All => true,
            Selector::Word(word) => called.eq_ignore_ascii_case(program.words.shown(*word)),
            Selector::Pattern(pattern) => pattern.finds(cache, &called),
        };
        if !wanted {
            continue;
        }
        if names {
            found.value = Datum::Bytes(state.values.keep(&called));
        }
        out.push(found);
    }
}

/// A value that is made when it is asked for.
fn rendered(program: &Program, state: &mut State, target: &Target) -> Datum {
    let selector = match &target.selector {
        Selector::Word(word) => Selector::Word(*word),
        Selector::All | Selector::Pattern(_) => Selector::All,
    };
    let mut bytes = Vec::new();
    let text = Text(Box::new([Part::First(target.variable, selector)]));
    render::text(program, state, &text, &mut bytes);
    Datum::Bytes(state.values.keep(&bytes))
}
