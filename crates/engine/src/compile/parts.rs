//! Targets, texts and operators.

use crate::datum::exact_number;
use crate::identity::Check;
use crate::kept;
use crate::operator::Operator;
use crate::program::RuleInfo;
use crate::rule::{Quick, Test};
use crate::step::Exclusion;
use crate::target::{Pattern, Selector, Target};
use crate::text::{Operand, Part, Text};
use crate::tx::CAPTURES;
use crate::words::Words;
use secbeat_pattern::{Matcher, PhraseSet};
use secbeat_seclang as lang;
use secbeat_seclang::{Segment, Variable};
use secbeat_transform::{ByteSet, Transformation};
use std::collections::{HashMap, HashSet};

/// What rules share, while they are compiled.
pub struct Parts<'i> {
    /// What is known of all rules.
    pub infos: &'i [RuleInfo],
    /// Names.
    pub words: Words,
    /// Constants.
    pub constants: Vec<Box<[u8]>>,
    constant_numbers: HashMap<Box<[u8]>, u32>,
    /// What `ctl` may take out.
    pub exclusions: Vec<Exclusion>,
    /// Every variable that a rule asks for.
    pub mentioned: HashSet<Variable>,
    /// The persistent collections that the rule at hand speaks of, a bit each.
    pub collections: u8,
    /// Whether a rule speaks of all of TX.
    pub asks_for_all: bool,
}

impl<'i> Parts<'i> {
    /// Nothing yet, but for the names of what is captured.
    pub fn new(infos: &'i [RuleInfo]) -> Self {
        let mut words = Words::default();
        for number in 0..CAPTURES {
            words.intern(number.to_string().as_bytes());
        }
        Parts {
            infos,
            words,
            constants: Vec::new(),
            constant_numbers: HashMap::new(),
            exclusions: Vec::new(),
            mentioned: HashSet::new(),
            collections: 0,
            asks_for_all: false,
        }
    }

    /// What a link looks at and how.
    pub fn test(&mut self, test: &lang::Test) -> Result<Test, String> {
        let outside = std::mem::take(&mut self.collections);
        let (mut targets, mut exclusions) = (Vec::new(), Vec::new());
        for target in &test.targets {
            let compiled = self.target(target)?;
            if target.excluded { exclusions.push(compiled) } else { targets.push(compiled) }
        }
        let operator = self.operator(&test.operator)?;
        let collections = std::mem::replace(&mut self.collections, outside);
        self.collections |= collections;
        let quick = self.quick(test);
        Ok(Test {
            targets: targets.into(),
            exclusions: exclusions.into(),
            transformations: test.transformations.clone().into(),
            touches_numbers: test
                .transformations
                .iter()
                .any(|transformation| touches_numbers(*transformation)),
            negated: test.negated,
            operator,
            collections,
            quick,
        })
    }

    /// One target.
    pub fn target(&mut self, target: &lang::Target) -> Result<Target, String> {
        self.mention(target.variable);
        let selector = match &target.selector {
            lang::Selector::All => {
                self.asks_for_all |= target.variable == Variable::Tx;
                Selector::All
            }
            lang::Selector::Name(name) => Selector::Word(self.words.intern(name.as_bytes())),
            lang::Selector::Pattern(pattern) => {
                let matcher = Matcher::insensitive(pattern)
                    .map_err(|error| format!("{}:/{pattern}/: {error}", target.variable.name()))?;
                Selector::Pattern(Box::new(Pattern::new(matcher, pattern)))
            }
        };
        Ok(Target { variable: target.variable, selector, count: target.count })
    }

    fn mention(&mut self, variable: Variable) {
        self.mentioned.insert(variable);
        self.collections |= kept::bit(variable);
    }

    /// The comparison of one variable of TX, if that is all there is to a link.
    fn quick(&mut self, test: &lang::Test) -> Option<Box<[Quick]>> {
        let lang::Operator::Compare(comparison, than) = &test.operator else { return None };
        let mut quick = Vec::with_capacity(test.targets.len());
        for target in &test.targets {
            let lang::Selector::Name(name) = &target.selector else { return None };
            let than = self.operand(than);
            let plain = !target.excluded && matches!(than, Operand::Number(_) | Operand::Tx(_));
            if target.variable != Variable::Tx || !plain || !test.transformations.is_empty() {
                return None;
            }
            quick.push(Quick {
                word: self.words.intern(name.as_bytes()),
                count: target.count,
                comparison: *comparison,
                than,
                negated: test.negated,
            });
        }
        Some(quick.into())
    }

    /// A text.
    pub fn text(&mut self, text: &lang::Text) -> Text {
        let part = |segment: &Segment| match segment {
            Segment::Literal(literal) => Part::Literal(literal.as_bytes().into()),
            Segment::Macro(Variable::Tx, Some(name)) => Part::Tx(self.words.intern(name.as_bytes())),
            Segment::Macro(variable, name) => {
                self.mention(*variable);
                self.asks_for_all |= *variable == Variable::Tx;
                let word = name.as_ref().map(|name| self.words.intern(name.as_bytes()));
                Part::First(*variable, word.map_or(Selector::All, Selector::Word))
            }
        };
        Text(text.0.iter().map(part).collect())
    }

    /// A text in its cheapest form.
    pub fn operand(&mut self, text: &lang::Text) -> Operand {
        let text = self.text(text);
        match (text.literal(), &*text.0) {
            (Some(literal), _) => match exact_number(literal) {
                Some(number) => Operand::Number(number),
                None => Operand::Constant(self.constant(literal)),
            },
            (None, [Part::Tx(word)]) => Operand::Tx(*word),
            _ => Operand::Text(text),
        }
    }

    fn constant(&mut self, bytes: &[u8]) -> u32 {
        let next = self.constants.len() as u32;
        let number = *self.constant_numbers.entry(bytes.into()).or_insert(next);
        if number == next {
            self.constants.push(bytes.into());
        }
        number
    }

    fn operator(&mut self, operator: &lang::Operator) -> Result<Operator, String> {
        let matcher = |name: &str, pattern: &str| {
            Matcher::new(pattern).map(Box::new).map_err(|error| format!("{name}: {error}"))
        };
        Ok(match operator {
            lang::Operator::Rx(text) | lang::Operator::RxGlobal(text) => match text.literal() {
                Some("^.*$") => Operator::Whole,
                Some(pattern) => Operator::Rx(matcher("@rx", pattern)?),
                None => Operator::RxMade(self.text(text)),
            },
            lang::Operator::Pm(phrases) => Operator::Pm(Box::new(PhraseSet::new(phrases))),
            lang::Operator::BeginsWith(text) => Operator::BeginsWith(self.operand(text)),
            lang::Operator::Contains(text) | lang::Operator::StrMatch(text) => {
                Operator::Contains(self.operand(text))
            }
            lang::Operator::ContainsWord(text) => Operator::ContainsWord(self.operand(text)),
            lang::Operator::EndsWith(text) => Operator::EndsWith(self.operand(text)),
            lang::Operator::StrEq(text) => Operator::StrEq(self.operand(text)),
            lang::Operator::Within(text) => Operator::Within(self.operand(text)),
            lang::Operator::Compare(comparison, text) => Operator::Compare(*comparison, self.operand(text)),
            lang::Operator::IpMatch(networks) => Operator::IpMatch(networks.iter().copied().collect()),
            lang::Operator::ValidateByteRange(may_be) => Operator::ValidateByteRange(may_be.clone()),
            lang::Operator::ValidateUrlEncoding => Operator::ValidateUrlEncoding,
            lang::Operator::ValidateUtf8Encoding => Operator::ValidateUtf8Encoding,
            lang::Operator::VerifyCreditCard(pattern) => {
                Operator::Verify(matcher("@verifyCC", pattern)?, Check::CreditCard)
            }
            lang::Operator::VerifySsn(pattern) => {
                Operator::Verify(matcher("@verifySSN", pattern)?, Check::Ssn)
            }
            lang::Operator::VerifyCpf(pattern) => {
                Operator::Verify(matcher("@verifyCPF", pattern)?, Check::Cpf)
            }
            lang::Operator::DetectSqli => Operator::DetectSqli,
            lang::Operator::DetectXss => Operator::DetectXss,
            lang::Operator::UnconditionalMatch => Operator::Always,
            lang::Operator::NoMatch | lang::Operator::GeoLookup | lang::Operator::Rbl(_) => Operator::Never,
        })
    }
}

/// Whether a transformation may change the digits of a number.
fn touches_numbers(transformation: Transformation) -> bool {
    const DIGITS: ByteSet = ByteSet::of(b"-0123456789");
    transformation.triggers().intersects(&DIGITS)
}
