//! A tree of PCRE as one of the `regex` crates, where the two mean the same.
//!
//! What only a backtracking matcher can tell is given up (`None`), or widened for a filter: look-around and places count
//! as fulfilled, possessive as greedy, a back-reference as anything.

use crate::byte_class::ByteClass;
use crate::syntax::{Look, Node, Repeat, RepeatKind};
use regex_syntax::hir::{self, Capture, Class, ClassBytes, ClassBytesRange, Hir, Repetition};

/// The groups that are kept: those that `TX` has room for.
const GROUPS_MAX: u32 = 9;

/// The number of the group around the final newline before which `$` stood: it is no part of the match.
pub(crate) const FINAL_NEWLINE_GROUP: u32 = GROUPS_MAX + 1;

/// The same expression, exactly; none if there is none.
pub(crate) fn exact(node: &Node) -> Option<Hir> {
    Lowering { exact: true }.lower(node, &After::END)
}

/// An expression that matches wherever this one does, and possibly elsewhere; none is made only if it is nested too deep.
pub(crate) fn widened(node: &Node) -> Hir {
    Lowering { exact: false }.lower(node, &After::END).unwrap_or_else(Hir::empty)
}

/// What follows a part, up to the end of the expression.
#[derive(Debug, Clone, Copy)]
struct After {
    /// Nothing at all.
    nothing: bool,
    /// At least one byte.
    something: bool,
    /// The bytes with which it may begin.
    first: ByteClass,
}

impl After {
    const END: After = After { nothing: true, something: false, first: ByteClass::NONE };

    /// With `node` before it.
    fn behind(&self, node: &Node) -> After {
        let something = node.min_len() > 0;
        let first = if something { node.first() } else { node.first().union(self.first) };
        After { nothing: self.nothing && *node == Node::Empty, something: self.something || something, first }
    }
}

struct Lowering {
    exact: bool,
}

impl Lowering {
    fn lower(&self, node: &Node, after: &After) -> Option<Hir> {
        Some(match node {
            Node::Empty => Hir::empty(),
            Node::Class(class) => self::class(*class),
            Node::Look(look) => return self.look(*look, after),
            Node::Repeat(repeat) => return self.repeat(repeat, after),
            Node::Capture(group, node) => {
                let sub = Box::new(self.lower(node, after)?);
                match self.exact && *group <= GROUPS_MAX {
                    true => Hir::capture(Capture { index: *group, name: None, sub }),
                    false => *sub,
                }
            }
            // Nothing behind it can ask it to try anew.
            Node::Atomic(node) if !self.exact || after.nothing => return self.lower(node, after),
            Node::Around { .. } if !self.exact => Hir::empty(),
            Node::Backreference { .. } if !self.exact => Hir::repetition(Repetition {
                min: 0,
                max: None,
                greedy: true,
                sub: Box::new(self::class(ByteClass::ALL)),
            }),
            Node::Atomic(_) | Node::Around { .. } | Node::Backreference { .. } => return None,
            Node::Concat(nodes) => {
                let mut after = *after;
                let mut parts = Vec::with_capacity(nodes.len());
                for node in nodes.iter().rev() {
                    parts.push(self.lower(node, &after)?);
                    after = after.behind(node);
                }
                parts.reverse();
                Hir::concat(parts)
            }
            Node::Alternate(nodes) => {
                Hir::alternation(nodes.iter().map(|node| self.lower(node, after)).collect::<Option<_>>()?)
            }
        })
    }

    fn repeat(&self, repeat: &Repeat, after: &After) -> Option<Hir> {
        // Giving back what was taken helps only if what follows may begin with it.
        let gives_back = match &repeat.node {
            Node::Class(class) => !after.something || class.meets(&after.first),
            _ => true,
        };
        if self.exact && repeat.kind == RepeatKind::Possessive && gives_back && !after.nothing {
            return None;
        }
        let again = repeat.max != Some(1);
        let inner = After {
            nothing: after.nothing && !again,
            something: after.something,
            first: if again { after.first.union(repeat.node.first()) } else { after.first },
        };
        Some(Hir::repetition(Repetition {
            min: repeat.min,
            max: repeat.max,
            greedy: repeat.kind != RepeatKind::Lazy,
            sub: Box::new(self.lower(&repeat.node, &inner)?),
        }))
    }

    fn look(&self, look: Look, after: &After) -> Option<Hir> {
        Some(Hir::look(match look {
            Look::Start => hir::Look::Start,
            Look::End => hir::Look::End,
            Look::LineEnd => hir::Look::EndLF,
            Look::WordBoundary => hir::Look::WordAscii,
            Look::NoWordBoundary => hir::Look::WordAsciiNegate,
            // A newline that ends the text begins no line; with a byte to follow, none ends it here.
            Look::LineStart if after.something || !self.exact => hir::Look::StartLF,
            Look::LineStart => return None,
            Look::EndOrFinalNewline if after.nothing => {
                let newline = Hir::concat(vec![class(ByteClass::of(b"\n")), Hir::look(hir::Look::End)]);
                let newline = match self.exact {
                    true => Hir::capture(Capture {
                        index: FINAL_NEWLINE_GROUP,
                        name: None,
                        sub: Box::new(newline),
                    }),
                    false => newline,
                };
                return Some(Hir::alternation(vec![Hir::look(hir::Look::End), newline]));
            }
            Look::EndOrFinalNewline if self.exact => return None,
            Look::EndOrFinalNewline => return Some(Hir::empty()),
        }))
    }
}

fn class(class: ByteClass) -> Hir {
    let ranges = class.ranges().into_iter().map(|(first, last)| ClassBytesRange::new(first, last));
    Hir::class(Class::Bytes(ClassBytes::new(ranges)))
}
