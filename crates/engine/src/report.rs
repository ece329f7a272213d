//! From a rule that matched to what people are told.

use crate::matches::Match;
use crate::render;
use crate::rule::{Disruptive, Link, Rule};
use crate::text::Text;
use crate::transaction::Transaction;

/// So much of a value is told.
const VALUE_MAX: usize = 512;
/// So much of a text is told.
const TEXT_MAX: usize = 2048;

/// What is to be told of a rule that has just matched as a whole.
pub fn report(t: &mut Transaction<'_>, number: u32, rule: &Rule) -> Match {
    t.load(rule.collections);
    let (program, state) = (t.program, &t.memory.state);
    let mut variable = Vec::new();
    let mut value = Vec::new();
    if let Some(last) = state.last() {
        state.append_called(program, last, &mut variable);
        value.extend_from_slice(&state.bytes(program, last.value)[..]);
    }
    let transformations = rule.links.last().map(|link| applied(t, link, &value)).unwrap_or_default();
    value.truncate(VALUE_MAX);
    value.shrink_to_fit();
    let told = |text: fn(&Link) -> Option<&Text>| {
        // As in ModSecurity 3, what the head says counts before what a later link says.
        let text = rule.links.iter().find_map(text);
        let mut out = Vec::new();
        text.into_iter().for_each(|text| render::text(program, &t.memory.state, text, &mut out));
        out.truncate(TEXT_MAX);
        String::from_utf8_lossy(&out).into_owned()
    };
    let (message, data) = (told(|link| link.msg.as_ref()), told(|link| link.logdata.as_ref()));
    t.spent += (message.len() + data.len() + value.len()) as u64;
    Match {
        rule: number,
        variable: String::from_utf8_lossy(&variable).into_owned(),
        value,
        transformations,
        message,
        data,
        log: rule.log,
        audit: rule.audit,
        disruptive: !matches!(rule.disruptive, Disruptive::Pass),
    }
}

/// The transformations that made the value that matched last what it was when it matched.
fn applied(t: &Transaction<'_>, link: &Link, view: &[u8]) -> Vec<&'static str> {
    let (Some(test), Some(origin)) = (&link.test, t.origin) else { return Vec::new() };
    let mut value = t.memory.state.bytes(t.program, origin.value).into_owned();
    let mut names = Vec::new();
    for transformation in &test.transformations {
        if link.multi_match && value == view {
            break;
        }
        let mut next = Vec::new();
        if transformation.apply(&value, &mut next) {
            names.push(transformation.name());
            value = next;
        }
    }
    names
}
