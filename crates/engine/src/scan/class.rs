//! Classes: values that the same rules look at, by where they come from and which selectors their names satisfy.

use super::sources::Source;
use secbeat_pattern::{MatchCache, Matcher, Outcome, RuleBits};
use secbeat_seclang::{Phase, Selector, Target};
use std::collections::HashMap;

/// The rules that run together: those of a request's two phases are searched for at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Phases 1 and 2.
    Request,
    /// Phase 3.
    ResponseHeaders,
    /// Phase 4.
    ResponseBody,
    /// Phase 5.
    Logging,
}

impl Group {
    /// All of them, in order.
    pub const ALL: [Group; 4] = [Group::Request, Group::ResponseHeaders, Group::ResponseBody, Group::Logging];

    /// That of a phase.
    pub fn of(phase: Phase) -> Self {
        match phase {
            Phase::RequestHeaders | Phase::RequestBody => Group::Request,
            Phase::ResponseHeaders => Group::ResponseHeaders,
            Phase::ResponseBody => Group::ResponseBody,
            Phase::Logging => Group::Logging,
        }
    }
}

/// What the targets of a rule that are of one variable ask of a name.
#[derive(Debug, Clone)]
struct Interest {
    rule: u16,
    group: Group,
    wanted: Vec<Choice>,
    unwanted: Vec<Choice>,
}

/// A selector, by its number in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    All,
    Name(u16),
    Pattern(u8),
}

impl Choice {
    /// An expression that is not asked here.
    const UNSURE: Choice = Choice::Pattern(u8::MAX);
}

/// Which selectors of its source a name satisfies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Traits {
    /// The name it is; [`Traits::UNNAMED`]: none that a rule names.
    pub name: u16,
    /// The expressions that find it, a bit each.
    pub patterns: u64,
}

impl Traits {
    const UNNAMED: u16 = u16::MAX;
    /// Of a name that satisfies nothing but `All`.
    pub const NONE: Traits = Traits { name: Self::UNNAMED, patterns: 0 };

    /// Whether a name like this satisfies a selector. What could not be settled beforehand (an expression without a place, or
    /// one that is too costly) is answered with what loses no hit: `unsure`.
    fn satisfy(self, choice: Choice, unsure: bool) -> bool {
        match choice {
            Choice::All => true,
            Choice::Name(number) => self.name == number,
            Choice::Pattern(number) if usize::from(number) < PATTERNS_MAX => {
                self.patterns & (1 << number) != 0
            }
            Choice::Pattern(_) => unsure,
        }
    }
}

const PATTERNS_MAX: usize = 64;

/// What the rules of a program ask of the values of one source.
#[derive(Debug)]
pub struct Interests {
    /// Where the values come from.
    pub source: Source,
    names: HashMap<Box<[u8]>, u16>,
    patterns: Vec<(Box<str>, Matcher)>,
    interests: Vec<Interest>,
    absent: [RuleBits; Group::ALL.len()],
}

impl Interests {
    /// Nothing asked yet.
    pub fn new(source: Source) -> Self {
        Interests {
            source,
            names: HashMap::new(),
            patterns: Vec::new(),
            interests: Vec::new(),
            absent: Default::default(),
        }
    }

    /// Adds what the targets of a rule ask that are of one variable: one of those, none of the excluded ones.
    ///
    /// True: a value of a class that the rule looks at is one that its targets stand for. False: that is to be asked again.
    pub fn add(&mut self, rule: u16, group: Group, targets: &[&Target]) -> bool {
        let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
        for target in targets {
            let choice = self.choice(&target.selector);
            if target.excluded { unwanted.push(choice) } else { wanted.push(choice) }
        }
        let has_place = |choice: &Choice| *choice != Choice::UNSURE;
        let exact = wanted.len() == 1
            && wanted.iter().chain(&unwanted).all(has_place)
            && !self.interests.iter().any(|other| other.rule == rule);
        self.interests.push(Interest { rule, group, wanted, unwanted });
        exact
    }

    /// The number of a selector. An expression that does not compile here gets a number without a place: the visit, which
    /// asks every selector again, settles it.
    fn choice(&mut self, selector: &Selector) -> Choice {
        match selector {
            Selector::All => Choice::All,
            Selector::Name(name) => {
                let next = self.names.len().min(usize::from(Traits::UNNAMED) - 1) as u16;
                Choice::Name(*self.names.entry(name.to_ascii_lowercase().into_bytes().into()).or_insert(next))
            }
            Selector::Pattern(pattern) => {
                if let Some(known) = self.patterns.iter().position(|(text, _)| **text == **pattern) {
                    return Choice::Pattern(known as u8);
                }
                match Matcher::insensitive(pattern) {
                    Ok(matcher) if self.patterns.len() < PATTERNS_MAX => {
                        self.patterns.push(((**pattern).into(), matcher));
                        Choice::Pattern((self.patterns.len() - 1) as u8)
                    }
                    _ => Choice::UNSURE,
                }
            }
        }
    }

    /// Notes which rules are to be visited where a scalar is absent: those of `wake`, which may match what is empty.
    pub fn settle(&mut self, wake: &RuleBits) {
        if !self.source.variable.is_collection() {
            for interest in self.interests.iter().filter(|interest| wake.contains(interest.rule)) {
                let absent = &mut self.absent[interest.group as usize];
                if absent.words().is_empty() {
                    *absent = wake.clone();
                    absent.clear();
                }
                absent.insert(interest.rule);
            }
        }
    }

    /// The rules of a group that are to be visited where there is no value.
    pub fn absent(&self, group: Group) -> &RuleBits {
        &self.absent[group as usize]
    }

    /// Whether rules of this group ask for any.
    pub fn has(&self, group: Group) -> bool {
        self.interests.iter().any(|interest| interest.group == group)
    }

    /// Whether all names are alike to the rules.
    pub fn is_uniform(&self) -> bool {
        self.names.is_empty() && self.patterns.is_empty()
    }

    /// What the name of a value satisfies. `scratch` is overwritten.
    pub fn traits(&self, name: &[u8], cache: &mut MatchCache, scratch: &mut Vec<u8>) -> Traits {
        let mut traits = Traits::NONE;
        if !self.names.is_empty() {
            scratch.clear();
            scratch.extend(name.iter().map(u8::to_ascii_lowercase));
            traits.name = self.names.get(scratch.as_slice()).copied().unwrap_or(Traits::UNNAMED);
        }
        for (number, (_, matcher)) in self.patterns.iter().enumerate() {
            if matches!(matcher.is_match(cache, name), Outcome::Yes) {
                traits.patterns |= 1 << number;
            }
        }
        traits
    }

    /// The rules of a group that look at a value with such a name.
    pub fn rules(&self, traits: Traits, group: Group, rules: usize) -> RuleBits {
        let mut bits = RuleBits::new(rules);
        for interest in self.interests.iter().filter(|interest| interest.group == group) {
            if interest.wanted.iter().any(|choice| traits.satisfy(*choice, true))
                && !interest.unwanted.iter().any(|choice| traits.satisfy(*choice, false))
            {
                bits.insert(interest.rule);
            }
        }
        bits
    }
}
