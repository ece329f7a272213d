//! Operators, compiled: whether a value is one that a rule looks for.

use crate::datum::number;
use crate::encoding;
use crate::identity;
use crate::program::Program;
use crate::render;
use crate::state::State;
use crate::text::{Operand, Text};
use crate::tools::{Captured, Tools};
use secbeat_pattern::{Matcher, Outcome, PhraseSet};
use secbeat_seclang::Comparison;
use std::net::IpAddr;

/// An operator with its argument.
#[derive(Debug)]
pub enum Operator {
    /// `@rx`, `@rxGlobal`: one hit is enough.
    Rx(Box<Matcher>),
    /// `@rx ^.*$`: every value, whole. Rules that take values apart begin with it.
    Whole,
    /// `@rx` with macros: compiled when it runs.
    RxMade(Text),
    /// `@pm`, `@pmFromFile`.
    Pm(Box<PhraseSet>),
    /// `@beginsWith`.
    BeginsWith(Operand),
    /// `@contains`, `@strmatch`.
    Contains(Operand),
    /// `@containsWord`.
    ContainsWord(Operand),
    /// `@endsWith`.
    EndsWith(Operand),
    /// `@streq`.
    StrEq(Operand),
    /// `@within`.
    Within(Operand),
    /// `@eq`, `@ge`, `@gt`, `@le`, `@lt`.
    Compare(Comparison, Operand),
    /// `@ipMatch`: networks.
    IpMatch(Box<[(IpAddr, u8)]>),
    /// `@validateByteRange`: the bytes that may be, a bit each.
    ValidateByteRange(Box<[u64; 4]>),
    /// `@validateUrlEncoding`.
    ValidateUrlEncoding,
    /// `@validateUtf8Encoding`.
    ValidateUtf8Encoding,
    /// `@verifyCC`, `@verifySSN`, `@verifyCPF`: a number that an expression finds and a check holds good.
    Verify(Box<Matcher>, identity::Check),
    /// `@detectSQLi`.
    DetectSqli,
    /// `@detectXSS`.
    DetectXss,
    /// `@unconditionalMatch`.
    Always,
    /// `@noMatch`, and what there is no data for: `@geoLookup`, `@rbl`.
    Never,
}

/// Whether two numbers are as a comparison says.
pub fn compare(comparison: Comparison, value: i64, than: i64) -> bool {
    match comparison {
        Comparison::Eq => value == than,
        Comparison::Ge => value >= than,
        Comparison::Gt => value > than,
        Comparison::Le => value <= than,
        Comparison::Lt => value < than,
    }
}

impl Operator {
    /// Whether it holds of a number, where that takes no digits; none: ask with the digits.
    pub fn holds_of_number(
        &self,
        program: &Program,
        state: &State,
        tools: &mut Tools,
        value: i64,
    ) -> Option<bool> {
        tools.captured = Captured::Nothing;
        match self {
            Operator::Compare(comparison, than) => {
                let than = render::operand_number(program, state, than, &mut tools.operand);
                Some(compare(*comparison, value, than))
            }
            Operator::Always => Some(true),
            Operator::Never => Some(false),
            _ => None,
        }
    }

    /// Whether it holds of a value. With `capture`, what it found is left in [`Tools::captured`].
    pub fn holds(
        &self,
        program: &Program,
        state: &State,
        tools: &mut Tools,
        value: &[u8],
        capture: bool,
    ) -> bool {
        tools.captured = Captured::Nothing;
        let Tools { operand: buffer, .. } = tools;
        match self {
            Operator::Rx(matcher) => finds(matcher, tools, value, capture),
            Operator::Whole => {
                tools.captured = Captured::Part(0, value.len());
                true
            }
            Operator::RxMade(text) => {
                let mut pattern = std::mem::take(&mut tools.operand);
                pattern.clear();
                render::text(program, state, text, &mut pattern);
                let matcher = tools.made.get(&pattern);
                tools.operand = pattern;
                matcher.is_some_and(|matcher| finds(&matcher, tools, value, capture))
            }
            Operator::Pm(phrases) => {
                let Some(range) = phrases.find(value) else { return false };
                tools.captured = Captured::Part(range.start, range.end);
                true
            }
            Operator::BeginsWith(what) => value.starts_with(render::operand(program, state, what, buffer)),
            Operator::EndsWith(what) => value.ends_with(render::operand(program, state, what, buffer)),
            Operator::StrEq(what) => value == render::operand(program, state, what, buffer),
            Operator::Contains(what) => contains(value, render::operand(program, state, what, buffer)),
            Operator::ContainsWord(what) => {
                contains_word(value, render::operand(program, state, what, buffer))
            }
            Operator::Within(what) => contains(render::operand(program, state, what, buffer), value),
            Operator::Compare(comparison, than) => {
                compare(*comparison, number(value), render::operand_number(program, state, than, buffer))
            }
            Operator::IpMatch(networks) => ip_match(networks, value),
            Operator::ValidateByteRange(may_be) => !value.iter().all(|byte| {
                let word = may_be.get(usize::from(byte / 64)).copied().unwrap_or(0);
                word >> (byte % 64) & 1 == 1
            }),
            Operator::ValidateUrlEncoding => !encoding::is_url_encoding(value),
            Operator::ValidateUtf8Encoding => std::str::from_utf8(value).is_err(),
            Operator::Verify(matcher, check) => {
                let range = identity::find(matcher, &mut tools.cache, *check, value);
                let Some(range) = range else { return false };
                tools.captured = Captured::Part(range.start, range.end);
                true
            }
            Operator::DetectSqli => {
                let Some(fingerprint) = secbeat_injection::is_sqli(value) else { return false };
                if capture {
                    tools.captured = Captured::Text(fingerprint.as_bytes().into());
                }
                true
            }
            Operator::DetectXss => {
                tools.captured = Captured::Part(0, value.len());
                secbeat_injection::is_xss(value)
            }
            Operator::Always => true,
            Operator::Never => false,
        }
    }

    /// About how many times a byte is looked at.
    pub fn weight(&self) -> u64 {
        match self {
            Operator::RxMade(_) | Operator::Verify(..) => 8,
            Operator::Rx(_) | Operator::DetectSqli | Operator::DetectXss => 2,
            _ => 1,
        }
    }
}

/// Whether an expression matches; groups are looked for only then.
fn finds(matcher: &Matcher, tools: &mut Tools, value: &[u8], capture: bool) -> bool {
    let mut outcome = matcher.is_match(&mut tools.cache, value);
    if outcome == Outcome::Yes && capture {
        outcome = matcher.captures(&mut tools.cache, value, &mut tools.groups);
        tools.captured = Captured::Groups;
    }
    tools.limit_reached |= outcome == Outcome::OverBudget;
    outcome == Outcome::Yes
}

/// Values up to this length are searched without a searcher, bytes.
const SHORT: usize = 256;

fn contains(value: &[u8], what: &[u8]) -> bool {
    match what {
        [] => true,
        // To make a searcher ready costs more than to look through a short value.
        [first, ..] if value.len() < SHORT => {
            value.windows(what.len()).any(|window| window.first() == Some(first) && window == what)
        }
        _ => memchr::memmem::find(value, what).is_some(),
    }
}

/// Whether a word stands in a value with no letter next to it. An empty word stands everywhere. As ModSecurity does it, digits
/// and `_` end a word.
fn contains_word(value: &[u8], word: &[u8]) -> bool {
    let ends = |at: Option<&u8>| at.is_none_or(|byte| !byte.is_ascii_alphabetic());
    word.is_empty()
        || memchr::memmem::find_iter(value, word).any(|at| {
            let before = at.checked_sub(1).and_then(|before| value.get(before));
            ends(before) && ends(value.get(at + word.len()))
        })
}

fn ip_match(networks: &[(IpAddr, u8)], value: &[u8]) -> bool {
    let Some(address) = std::str::from_utf8(value).ok().and_then(|text| text.parse::<IpAddr>().ok()) else {
        return false;
    };
    networks.iter().any(|(network, length)| match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let shift = 32u32.saturating_sub(u32::from(*length));
            let [network, address] = [network.to_bits(), address.to_bits()].map(u64::from);
            network >> shift == address >> shift
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let shift = 128u32.saturating_sub(u32::from(*length));
            let [network, address] = [network.to_bits(), address.to_bits()];
            shift == 128 || network >> shift == address >> shift
        }
        _ => false,
    })
}
