//! Text with macros, filled in.

use crate::clock;
use crate::datum::{Datum, Found};
use crate::program::Program;
use crate::resolve::{named_by, names_of, sources};
use crate::state::State;
use crate::target::Selector;
use crate::text::{Operand, Part, Text};
use secbeat_seclang::Variable;

/// A text grows no longer than this: what rules put together of what they put together before ends here.
pub const TEXT_MAX: usize = 1 << 20;

/// Appends a text, filled in.
pub fn text(program: &Program, state: &State, text: &Text, out: &mut Vec<u8>) {
    for part in &text.0 {
        if out.len() > TEXT_MAX {
            return out.truncate(TEXT_MAX);
        }
        match part {
            Part::Literal(bytes) => out.extend_from_slice(bytes),
            Part::Tx(word) => {
                if let Some(datum) = state.tx.get(*word) {
                    state.append(program, datum, out);
                }
            }
            Part::First(variable, selector) => first(program, state, *variable, selector, out),
        }
    }
}

/// An operand as bytes, in `buffer` where it is not bytes already.
pub fn operand<'a>(
    program: &'a Program,
    state: &'a State,
    operand: &'a Operand,
    buffer: &'a mut Vec<u8>,
) -> &'a [u8] {
    buffer.clear();
    match operand {
        Operand::Constant(number) => return program.constant(*number),
        Operand::Number(number) => state.append(program, Datum::Number(*number), buffer),
        Operand::Tx(word) => match state.tx.get(*word) {
            Some(Datum::Bytes(span)) => return state.values.bytes(span),
            Some(datum) => state.append(program, datum, buffer),
            None => {}
        },
        Operand::Text(what) => text(program, state, what, buffer),
    }
    buffer
}

/// An operand as a number.
pub fn operand_number(program: &Program, state: &State, what: &Operand, buffer: &mut Vec<u8>) -> i64 {
    match what {
        Operand::Number(number) => *number,
        Operand::Tx(word) => state.tx.get(*word).map_or(0, |datum| state.number(program, datum)),
        Operand::Constant(_) | Operand::Text(_) => {
            crate::datum::number(operand(program, state, what, buffer))
        }
    }
}

/// Appends the first value of a variable, if it has one.
fn first(program: &Program, state: &State, variable: Variable, selector: &Selector, out: &mut Vec<u8>) {
    if let Some(datum) = number_of(state, variable) {
        return state.append(program, Datum::Number(datum), out);
    }
    let word = match selector {
        Selector::Word(word) => program.words.shown(*word),
        Selector::All | Selector::Pattern(_) => b"",
    };
    let wanted = |name: &[u8]| word.is_empty() || name.eq_ignore_ascii_case(word);
    if let Some(sources) = sources(variable) {
        let mut values = sources.iter().flat_map(|source| state.values.of(*source));
        let value = values.find(|(_, value)| wanted(state.values.bytes(value.name)));
        if let Some((_, value)) = value {
            let names = names_of(variable);
            out.extend_from_slice(state.values.bytes(if names { value.name } else { value.bytes }));
        }
        return;
    }
    match variable {
        Variable::MatchedVar => {
            if let Some(found) = state.last() {
                state.append(program, found.value, out);
            }
        }
        Variable::MatchedVarName => {
            if let Some(found) = state.last() {
                state.append_called(program, found, out);
            }
        }
        Variable::MatchedVars | Variable::MatchedVarsNames => {
            if let Some(found) = state.matched.iter().find(|found| called(program, state, found, word)) {
                match variable {
                    Variable::MatchedVars => state.append(program, found.value, out),
                    _ => state.append_called(program, found, out),
                }
            }
        }
        Variable::Rule => rule(program, state, word, out),
        Variable::Time => out.extend_from_slice(clock::of_day(state.now_ms).as_bytes()),
        Variable::Duration => out.extend_from_slice(duration(state.seed).as_bytes()),
        Variable::ModsecBuild => out.extend_from_slice(env!("CARGO_PKG_VERSION").as_bytes()),
        _ => {
            let value =
                named_by(program, state, variable).find(|(name, _)| wanted(state.name(program, *name)));
            if let Some((_, datum)) = value {
                state.append(program, datum, out);
            }
        }
    }
}

/// Whether what matched is called so; everything is called nothing.
pub fn called(program: &Program, state: &State, found: &Found, word: &[u8]) -> bool {
    let mut name = Vec::new();
    state.append_called(program, found, &mut name);
    word.is_empty() || name.eq_ignore_ascii_case(word)
}

/// `DURATION`, in seconds with six digits behind the point. There is no clock here: the digits are chance, which is what rules
/// draw lots by.
fn duration(seed: u64) -> String {
    format!("0.{:06}", seed % 1_000_000)
}

/// `RULE:id`, ….
fn rule(program: &Program, state: &State, word: &[u8], out: &mut Vec<u8>) {
    let Some(info) = program.infos.get(state.rule as usize) else { return };
    let link = program.rules.get(state.rule as usize).and_then(|rule| rule.links.first());
    match word.to_ascii_lowercase().as_slice() {
        b"id" => out.extend_from_slice(itoa::Buffer::new().format(info.id).as_bytes()),
        b"rev" => out.extend_from_slice(info.rev.as_deref().unwrap_or_default().as_bytes()),
        b"ver" => out.extend_from_slice(info.ver.as_deref().unwrap_or_default().as_bytes()),
        b"severity" => {
            let severity =
                info.severity.map(|severity| state.append(program, Datum::Number(severity.into()), out));
            severity.unwrap_or_default();
        }
        // A message that speaks of itself is not filled in again.
        b"msg" => {
            link.and_then(|link| link.msg.as_ref()).into_iter().for_each(|msg| flat(program, state, msg, out))
        }
        b"logdata" => {
            link.and_then(|link| link.logdata.as_ref())
                .into_iter()
                .for_each(|data| flat(program, state, data, out));
        }
        _ => {}
    }
}

/// A text with the macros in it that do not speak of a rule.
fn flat(program: &Program, state: &State, what: &Text, out: &mut Vec<u8>) {
    for part in &what.0 {
        match part {
            Part::Literal(bytes) => out.extend_from_slice(bytes),
            Part::Tx(word) => {
                state.tx.get(*word).into_iter().for_each(|datum| state.append(program, datum, out));
            }
            Part::First(Variable::Rule, _) => {}
            Part::First(variable, selector) => first(program, state, *variable, selector, out),
        }
    }
}

/// A variable that is a number by itself.
pub fn number_of(state: &State, variable: Variable) -> Option<i64> {
    let values = &state.values;
    let sum = |variable| {
        values
            .of(variable)
            .map(|(_, value)| crate::datum::number(values.bytes(value.bytes)))
            .fold(0, i64::saturating_add)
    };
    match variable {
        Variable::ArgsCombinedSize => {
            let [get, post] =
                [Variable::ArgsGet, Variable::ArgsPost].map(|variable| values.list(variable).size);
            Some(i64::from(get) + i64::from(post))
        }
        Variable::FilesCombinedSize if values.list(variable).count == 0 => Some(sum(Variable::FilesSizes)),
        Variable::RequestBodyLength if values.list(variable).count == 0 => {
            let body = values.of(Variable::RequestBody).next();
            Some(body.map_or(0, |(_, body)| body.bytes.len() as i64))
        }
        Variable::HighestSeverity => Some(i64::from(state.severity)),
        _ => clock::part(variable, state.now_ms),
    }
}
