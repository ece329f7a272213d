//! The lists of transformations of all rules, as one trie: what begins alike is done once.

use super::byte_table::ByteTable;
use secbeat_pattern::RuleBits;
use secbeat_transform::Transformation;

/// A place in the trie: the value as it is after the transformations on the way there.
pub type NodeId = u16;

/// The value as it came.
pub const ROOT: NodeId = 0;

/// A value as some rules want it.
#[derive(Debug, Clone)]
pub struct Node {
    /// What is done last; `None`: the root.
    pub transformation: Option<Transformation>,
    /// The bits of [`ByteTable`] of which a value must have one for that to change it.
    pub trigger: u64,
    /// What is done next, for other rules.
    pub children: Vec<NodeId>,
    /// The rules that look at the value here.
    pub ends: RuleBits,
    /// The rules that look at it here or further on.
    pub below: RuleBits,
    /// Whether the view before can be searched in its place, where nothing comes after: `lowercase` is last, the filter folds
    /// letters, and operators are asked about the view in lower case.
    pub folded: bool,
}

/// All places, the root first; children come after their parents.
#[derive(Debug, Clone)]
pub struct Trie {
    nodes: Vec<Node>,
    rules: usize,
}

/// A list with more transformations is not followed: its rule is evaluated plainly.
pub const DEPTH_MAX: usize = 24;

impl Trie {
    /// A trie of a root, for so many rules.
    pub fn new(rules: usize) -> Self {
        let mut trie = Trie { nodes: Vec::new(), rules };
        trie.nodes.push(trie.node(None, 0));
        trie
    }

    fn node(&self, transformation: Option<Transformation>, trigger: u64) -> Node {
        let [ends, below] = [RuleBits::new(self.rules), RuleBits::new(self.rules)];
        Node { transformation, trigger, children: Vec::new(), ends, below, folded: false }
    }

    /// Adds a rule's list. With `every`, the rule looks at the value after each step (`multiMatch`). False: the trie is full or
    /// the list is too long, and nothing was added.
    pub fn insert(&mut self, rule: u16, list: &[Transformation], every: bool, bytes: &mut ByteTable) -> bool {
        if list.len() > DEPTH_MAX || self.nodes.len() + list.len() >= usize::from(NodeId::MAX) {
            return false;
        }
        let mut at = usize::from(ROOT);
        for transformation in list {
            self.mark(at, rule, every);
            at = self.step(at, *transformation, bytes);
        }
        self.mark(at, rule, true);
        true
    }

    fn mark(&mut self, at: usize, rule: u16, ends: bool) {
        let node = &mut self.nodes[at];
        node.below.insert(rule);
        if ends {
            node.ends.insert(rule);
        }
    }

    fn step(&mut self, at: usize, transformation: Transformation, bytes: &mut ByteTable) -> usize {
        let known = self.nodes[at]
            .children
            .iter()
            .copied()
            .map(usize::from)
            .find(|child| self.nodes[*child].transformation == Some(transformation));
        known.unwrap_or_else(|| {
            let number = self.nodes.len();
            let node = self.node(Some(transformation), bytes.bit(transformation.triggers()));
            self.nodes.push(node);
            self.nodes[at].children.push(number as NodeId);
            number
        })
    }

    /// Settles which places may be searched before their `lowercase` is carried out: those of whose rules each can be shown a
    /// view in either case.
    pub fn settle(&mut self, either: &RuleBits) {
        for node in &mut self.nodes {
            node.folded = node.transformation == Some(Transformation::Lowercase)
                && node.ends.iter().all(|rule| either.contains(rule));
        }
    }

    /// A place; the root where there is none of that number.
    pub fn get(&self, node: NodeId) -> &Node {
        self.nodes.get(usize::from(node)).unwrap_or(&self.nodes[0])
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }
}
