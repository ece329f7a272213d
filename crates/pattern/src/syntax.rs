//! An expression as a tree, every shorthand of its text resolved to bytes.

use crate::byte_class::ByteClass;

/// A part of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Empty,
    /// One byte of these.
    Class(ByteClass),
    Look(Look),
    Repeat(Box<Repeat>),
    /// A group that is captured under this number.
    Capture(u32, Box<Node>),
    /// `(?>…)`: once matched, nothing in it is tried anew.
    Atomic(Box<Node>),
    /// `(?=…)`, `(?!…)`, `(?<=…)`, `(?<!…)`.
    Around {
        behind: bool,
        negated: bool,
        node: Box<Node>,
    },
    /// What a group matched, once more.
    Backreference {
        group: u32,
        caseless: bool,
    },
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
}

/// A part, several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repeat {
    pub node: Node,
    pub min: u32,
    pub max: Option<u32>,
    pub kind: RepeatKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RepeatKind {
    Greedy,
    Lazy,
    Possessive,
}

/// A condition on a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// `\A`, and `^` by default.
    Start,
    /// `\z`.
    End,
    /// `\Z`, and `$` by default: the end, or before a newline that ends the text.
    EndOrFinalNewline,
    /// `^` under `(?m)`: the start, or after a newline that does not end the text.
    LineStart,
    /// `$` under `(?m)`.
    LineEnd,
    WordBoundary,
    NoWordBoundary,
}

impl Node {
    pub fn byte(byte: u8) -> Node {
        Node::Class(ByteClass::of(&[byte]))
    }

    pub fn concat(mut nodes: Vec<Node>) -> Node {
        match nodes.len() {
            0 => Node::Empty,
            1 => nodes.swap_remove(0),
            _ => Node::Concat(nodes),
        }
    }

    /// The fewest bytes that it takes.
    pub fn min_len(&self) -> usize {
        match self {
            Node::Empty | Node::Look(_) | Node::Around { .. } | Node::Backreference { .. } => 0,
            Node::Class(_) => 1,
            Node::Repeat(repeat) => repeat.node.min_len().saturating_mul(repeat.min as usize),
            Node::Capture(_, node) | Node::Atomic(node) => node.min_len(),
            Node::Concat(nodes) => nodes.iter().fold(0, |sum, node| sum.saturating_add(node.min_len())),
            Node::Alternate(nodes) => nodes.iter().map(Node::min_len).min().unwrap_or(0),
        }
    }

    /// The bytes with which what it takes may begin, if it takes any.
    pub fn first(&self) -> ByteClass {
        match self {
            Node::Empty | Node::Look(_) | Node::Around { .. } => ByteClass::NONE,
            Node::Backreference { .. } => ByteClass::ALL,
            Node::Class(class) => *class,
            Node::Repeat(repeat) => repeat.node.first(),
            Node::Capture(_, node) | Node::Atomic(node) => node.first(),
            Node::Concat(nodes) => {
                let mut first = ByteClass::NONE;
                for node in nodes {
                    first = first.union(node.first());
                    if node.min_len() > 0 {
                        break;
                    }
                }
                first
            }
            Node::Alternate(nodes) => nodes.iter().map(Node::first).fold(ByteClass::NONE, ByteClass::union),
        }
    }
}
