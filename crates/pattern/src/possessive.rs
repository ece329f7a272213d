//! Possessive repetitions of single bytes, made greedy where that changes nothing.
//!
//! `\s*+X` takes all the spaces there are, so that what X takes cannot begin with one. Said of X itself (`\s*X'`, where the first
//! byte of X' is no space), the repetition may give back what it took: X' will not have it. Where what comes next may be `\s*+`
//! again, that one takes what was given back, and nothing is won. What is left is an expression for automata.

use crate::byte_class::ByteClass;
use crate::syntax::{Look, Node, Repeat, RepeatKind};

/// How many parts behind a repetition are looked at; where more may be empty, it stays as it is.
const LOOK_MAX: usize = 64;

/// The same expression with fewer possessive repetitions.
pub(crate) fn relaxed(node: Node) -> Node {
    relax(node, &After::End)
}

/// What comes after a part.
enum After<'a> {
    /// Nothing.
    End,
    /// Nobody knows.
    Unknown,
    /// The next parts, the nearest last, and what comes after them.
    Parts(&'a [Node], &'a After<'a>),
    /// This again, or what comes after it.
    Again(&'a Node, &'a After<'a>),
}

fn relax(node: Node, after: &After<'_>) -> Node {
    match node {
        Node::Repeat(repeat) => {
            let Repeat { node, min, max, kind } = *repeat;
            let node = match node {
                leaf @ Node::Class(_) => leaf,
                node => relax(node.clone(), &After::Again(&node, after)),
            };
            Node::Repeat(Box::new(Repeat { node, min, max, kind }))
        }
        Node::Capture(group, node) => Node::Capture(group, Box::new(relax(*node, after))),
        // Once left, it is not entered again: nothing after it makes it give back.
        Node::Atomic(node) => Node::Atomic(Box::new(relax(*node, &After::End))),
        Node::Around { behind, negated, node } => {
            Node::Around { behind, negated, node: Box::new(relax(*node, &After::Unknown)) }
        }
        Node::Alternate(nodes) => Node::Alternate(nodes.into_iter().map(|node| relax(node, after)).collect()),
        Node::Concat(nodes) => {
            // From the last part to the first.
            let mut done: Vec<Node> = Vec::with_capacity(nodes.len());
            for node in nodes.into_iter().rev() {
                let mut node = relax(node, &After::Parts(&done, after));
                if let Node::Repeat(repeat) = &mut node {
                    make_greedy(repeat, &mut done, after);
                }
                done.push(node);
            }
            done.reverse();
            Node::Concat(done)
        }
        leaf @ (Node::Empty | Node::Class(_) | Node::Look(_) | Node::Backreference { .. }) => leaf,
    }
}

/// Makes a repetition greedy if it can be, for which the next part (the last of `done`) may be said anew.
fn make_greedy(repeat: &mut Repeat, done: &mut [Node], after: &After<'_>) {
    let (RepeatKind::Possessive, None, Node::Class(class)) = (repeat.kind, repeat.max, &repeat.node) else {
        return;
    };
    let next = done.last().and_then(|next| without_first(next, class));
    let before = match (done.last_mut(), next) {
        (Some(place), Some(next)) => Some(std::mem::replace(place, next)),
        _ => None,
    };
    if !may_begin(&After::Parts(done, after), class) {
        repeat.kind = RepeatKind::Greedy;
    } else if let (Some(place), Some(before)) = (done.last_mut(), before) {
        *place = before;
    }
}

/// Whether what comes after may begin with a byte of `class`, unless by a repetition of just these bytes.
fn may_begin(after: &After<'_>, class: &ByteClass) -> bool {
    let mut after = after;
    for _ in 0..LOOK_MAX {
        match after {
            After::End => return false,
            After::Unknown => return true,
            After::Again(node, rest) => {
                if begins(node, class).0 {
                    return true;
                }
                after = *rest;
            }
            After::Parts(nodes, rest) => {
                for node in nodes.iter().rev().take(LOOK_MAX) {
                    match begins(node, class) {
                        (true, _) => return true,
                        (false, true) => {}
                        (false, false) => return false,
                    }
                }
                if nodes.len() > LOOK_MAX {
                    return true;
                }
                after = *rest;
            }
        }
    }
    true
}

/// Whether a part may begin with a byte of `class`, unless by a repetition of just these bytes; and whether what comes after it
/// may begin in its place.
fn begins(node: &Node, class: &ByteClass) -> (bool, bool) {
    match node {
        Node::Empty => (false, true),
        Node::Class(bytes) => (bytes.meets(class), false),
        // The end is not there while bytes are given back. Before a newline that ends the text it may be; but then it was also
        // where all bytes were taken, and that is tried first.
        Node::Look(Look::End | Look::EndOrFinalNewline) => (false, false),
        Node::Look(_) | Node::Atomic(_) | Node::Around { .. } | Node::Backreference { .. } => (true, true),
        Node::Repeat(repeat) => match **repeat {
            Repeat { node: Node::Class(bytes), min: 0, max: None, .. } if bytes == *class => (false, true),
            Repeat { ref node, min, .. } => {
                let (begins, empty) = begins(node, class);
                (begins, empty || min == 0)
            }
        },
        Node::Capture(_, node) => begins(node, class),
        Node::Concat(nodes) => {
            for node in nodes.iter().take(LOOK_MAX) {
                match begins(node, class) {
                    (true, empty) => return (true, empty),
                    (false, true) => {}
                    (false, false) => return (false, false),
                }
            }
            (nodes.len() > LOOK_MAX, true)
        }
        Node::Alternate(nodes) => nodes
            .iter()
            .map(|node| begins(node, class))
            .fold((false, false), |(any, some), (begins, empty)| (any || begins, some || empty)),
    }
}

/// What `node` matches but for what begins with a byte of `class`; none if that cannot be said simply.
fn without_first(node: &Node, class: &ByteClass) -> Option<Node> {
    if !node.first().meets(class) {
        return Some(node.clone());
    }
    match node {
        Node::Class(bytes) => {
            let rest = ByteClass(std::array::from_fn(|word| bytes.0[word] & !class.0[word]));
            (!rest.is_empty()).then_some(Node::Class(rest))
        }
        Node::Capture(group, node) => Some(Node::Capture(*group, Box::new(without_first(node, class)?))),
        Node::Concat(nodes) => {
            let mut nodes = nodes.clone();
            let first = nodes.first_mut().filter(|first| first.min_len() > 0)?;
            *first = without_first(first, class)?;
            Some(Node::Concat(nodes))
        }
        Node::Alternate(nodes) => {
            nodes.iter().map(|node| without_first(node, class)).collect::<Option<_>>().map(Node::Alternate)
        }
        Node::Repeat(repeat) => {
            let Repeat { node: part @ Node::Class(_), min: 1.., max, kind } = &**repeat else { return None };
            let (min, max) = (repeat.min - 1, max.map(|max| max.saturating_sub(1)));
            let rest = Repeat { node: part.clone(), min, max, kind: *kind };
            Some(Node::Concat(vec![without_first(part, class)?, Node::Repeat(Box::new(rest))]))
        }
        Node::Empty | Node::Look(_) | Node::Atomic(_) | Node::Around { .. } | Node::Backreference { .. } => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::backtracking::anywhere;
    use crate::{Captures, MatchCache, Matcher, Outcome, parse};
    use proptest::prelude::*;

    /// An expression full of possessive repetitions.
    fn expression() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec![
            "a",
            "b",
            " ",
            "[ab]",
            "[^a]",
            "[a ]+",
            "a++",
            "[^b]*+",
            " *+",
            "[ab]{2,}+",
            "b?",
            "$",
            "\\b",
        ]);
        leaf.prop_map(str::to_owned).prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..5).prop_map(|parts| parts.concat()),
                prop::collection::vec(inner.clone(), 1..4)
                    .prop_map(|parts| format!("(?:{})", parts.join("|"))),
                inner.clone().prop_map(|part| format!("({part})")),
                inner.prop_map(|part| format!("(?:{part})*")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_matches_and_where_stays_the_same(pattern in expression(), value in "[ab c;]{0,8}") {
            let flags = parse::Flags { dot_all: true, ..parse::Flags::default() };
            let slow = parse::parse(&pattern, flags).and_then(|node| anywhere(&node));
            let (Ok(slow), Ok(matcher)) = (slow, Matcher::new(&pattern)) else { return Ok(()) };
            let Ok(expected) = slow.captures_from_pos(value.as_bytes(), 0) else { return Ok(()) };
            let mut found = Captures::default();
            let outcome = matcher.captures(&mut MatchCache::default(), value.as_bytes(), &mut found);
            prop_assert_eq!(outcome == Outcome::Yes, expected.is_some(), "{} {:?}", pattern, value);
            if let Some(expected) = expected {
                prop_assert_eq!(found.get(0), expected.get(0).map(|group| group.range()), "{} {:?}", pattern, value);
            }
        }
    }

    #[test]
    fn a_repetition_before_what_may_begin_alike_is_one_for_automata() {
        for pattern in [
            r"\s*+;",
            r"\s*+(?:[^a;]+|x)=",
            r"\s*+=\s*+(?:[^,]+)",
            r"(?:a|\s*+,\s*+(?:\*|[^/]+)/)*",
            r"(?:\s*+;\s*+(?:[^,]=\s*+x|;?))*$",
        ] {
            assert!(Matcher::new(pattern).unwrap().is_linear(), "{pattern}");
        }
        for pattern in [r"a*+a", r"(a)\s*+\1", r"\s*+(?:x?)(?=y)", r"(?:ab)*+a"] {
            assert!(!Matcher::new(pattern).unwrap().is_linear(), "{pattern}");
        }
    }
}
