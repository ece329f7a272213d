//! A tree of PCRE as text for the backtracking matcher, every byte and class spelled out.

use crate::byte_class::ByteClass;
use crate::syntax::{Look, Node, Repeat, RepeatKind};
use std::fmt::Write as _;

/// The same expression in the syntax of `fancy-regex` over bytes.
pub(crate) fn text(node: &Node) -> String {
    let mut out = String::new();
    write(node, &mut out);
    out
}

fn write(node: &Node, out: &mut String) {
    match node {
        Node::Empty => {}
        Node::Class(class) => write_class(*class, out),
        Node::Look(look) => out.push_str(match look {
            Look::Start => r"\A",
            Look::End => r"\z",
            Look::EndOrFinalNewline => r"(?=\n?\z)",
            Look::LineStart => r"(?:\A|(?<=\n)(?!\z))",
            Look::LineEnd => r"(?=\n|\z)",
            Look::WordBoundary => r"\b",
            Look::NoWordBoundary => r"\B",
        }),
        Node::Repeat(repeat) => write_repeat(repeat, out),
        Node::Capture(_, node) => write_group("(", node, out),
        Node::Atomic(node) => write_group("(?>", node, out),
        Node::Around { behind, negated, node } => {
            let open = match (behind, negated) {
                (false, false) => "(?=",
                (false, true) => "(?!",
                (true, false) => "(?<=",
                (true, true) => "(?<!",
            };
            write_group(open, node, out);
        }
        Node::Backreference { group, caseless } => {
            let flag = if *caseless { "(?i:" } else { "(?:" };
            let _ = write!(out, r"{flag}\{group})");
        }
        Node::Concat(nodes) => nodes.iter().for_each(|node| match node {
            Node::Alternate(_) => write_group("(?:", node, out),
            _ => write(node, out),
        }),
        Node::Alternate(nodes) => {
            for (index, node) in nodes.iter().enumerate() {
                if index > 0 {
                    out.push('|');
                }
                write(node, out);
            }
        }
    }
}

fn write_group(open: &str, node: &Node, out: &mut String) {
    out.push_str(open);
    write(node, out);
    out.push(')');
}

fn write_repeat(repeat: &Repeat, out: &mut String) {
    if repeat.kind == RepeatKind::Possessive {
        out.push_str("(?>");
    }
    write_group("(?:", &repeat.node, out);
    let _ = match repeat.max {
        Some(max) => write!(out, "{{{},{max}}}", repeat.min),
        None => write!(out, "{{{},}}", repeat.min),
    };
    match repeat.kind {
        RepeatKind::Greedy => {}
        RepeatKind::Lazy => out.push('?'),
        RepeatKind::Possessive => out.push(')'),
    }
}

fn write_class(class: ByteClass, out: &mut String) {
    if class.is_empty() {
        // Nothing matches here: no place is both.
        out.push_str(r"(?:\A(?!\A))");
        return;
    }
    out.push('[');
    for (first, last) in class.ranges() {
        let _ = write!(out, r"\x{first:02X}");
        if last != first {
            let _ = write!(out, r"-\x{last:02X}");
        }
    }
    out.push(']');
}
