//! Possessive repetitions of single bytes, made greedy where that changes nothing.
//!
//! `\s*+X` takes all the spaces there are, so that what X takes cannot begin with one. Said of X itself (`\s*X'`, where the first
//! byte of X' is no space), the repetition may give back what it took: X' will not have it. What is left is an expression for
//! automata.

use crate::byte_class::ByteClass;
use crate::syntax::{Node, Repeat, RepeatKind};

/// The same expression with fewer possessive repetitions.
pub(crate) fn relaxed(node: Node) -> Node {
    match node {
        Node::Repeat(mut repeat) => {
            repeat.node = relaxed(repeat.node);
            Node::Repeat(repeat)
        }
        Node::Capture(group, node) => Node::Capture(group, Box::new(relaxed(*node))),
        Node::Atomic(node) => Node::Atomic(Box::new(relaxed(*node))),
        Node::Around { behind, negated, node } => {
            Node::Around { behind, negated, node: Box::new(relaxed(*node)) }
        }
        Node::Alternate(nodes) => Node::Alternate(nodes.into_iter().map(relaxed).collect()),
        Node::Concat(nodes) => Node::Concat(sequence(nodes.into_iter().map(relaxed).collect())),
        leaf @ (Node::Empty | Node::Class(_) | Node::Look(_) | Node::Backreference { .. }) => leaf,
    }
}

/// Parts one after the other.
fn sequence(mut nodes: Vec<Node>) -> Vec<Node> {
    for at in 1..nodes.len() {
        let Some([Node::Repeat(repeat), next]) = nodes.get_mut(at - 1..=at) else { continue };
        let (RepeatKind::Possessive, None, Node::Class(class)) = (repeat.kind, repeat.max, &repeat.node)
        else {
            continue;
        };
        if let Some(without) = without_first(next, class) {
            repeat.kind = RepeatKind::Greedy;
            *next = without;
        }
    }
    nodes
}

/// What `node` matches but for what begins with a byte of `class`; none if `node` may be empty or that cannot be said simply.
fn without_first(node: &Node, class: &ByteClass) -> Option<Node> {
    if node.min_len() == 0 {
        return None;
    }
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
            let first = nodes.first_mut()?;
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
    use crate::matcher::backtracking;
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
            "a+?",
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
        fn what_matches_and_where_stays_the_same(pattern in expression(), value in "[ab c]{0,8}") {
            let flags = parse::Flags { dot_all: true, ..parse::Flags::default() };
            let slow = parse::parse(&pattern, flags).and_then(|node| backtracking(&node));
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
        for pattern in
            [r"\s*+;", r"\s*+(?:[^a;]+|x)=", r"\s*+=\s*+(?:[^,]+)", r"(?:a|\s*+,\s*+(?:\*|[^/]+)/)*"]
        {
            assert!(Matcher::new(pattern).unwrap().is_linear(), "{pattern}");
        }
        for pattern in [r"a*+a", r"(a)\s*+\1", r"\s*+(?:x?)(?=y)", r"(?:ab)*+a"] {
            assert!(!Matcher::new(pattern).unwrap().is_linear(), "{pattern}");
        }
    }
}
