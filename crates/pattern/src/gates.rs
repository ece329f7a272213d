//! Which rules a value cannot match for want of a byte, or for its length.

use crate::byte_class::ByteClass;
use crate::frequency::Frequency;
use crate::needs::Needs;
use crate::rule_bits::RuleBits;
use std::collections::BTreeMap;

/// The most classes that are told apart: a bit each.
const CLASSES_MAX: usize = 64;
/// Lengths from here on are one.
const LENGTH_MAX: usize = 31;
/// Values up to this length are looked at byte by byte, longer ones by the set of their bytes.
const SHORT: usize = 48;
/// How many answers a worker remembers.
const MEMORY: usize = 256;

/// The classes of bytes of which rules need one.
#[derive(Debug)]
pub(crate) struct Gates {
    /// Of each byte: which classes hold it.
    holds: Box<[u64; 256]>,
    /// The keys, a bit each: a way to match. The first key of a rule has its number, further ones follow behind all rules.
    keys: RuleBits,
    /// The first of the further keys.
    base: usize,
    /// Whose the further keys are.
    further: Box<[u16]>,
    /// For each class, the keys that need a byte of it; then for each length, those that need a longer value. All in one
    /// piece, each as long as `keys`.
    needs: Box<[u64]>,
    classes: usize,
    rules: usize,
}

/// What a worker remembers of gates: the rules that pass, by what a value holds and how long it is.
#[derive(Debug, Default)]
pub(crate) struct GatesMemory {
    places: Vec<Remembered>,
    keys: RuleBits,
}

#[derive(Debug, Clone)]
struct Remembered {
    have: u64,
    /// The length, up to [`LENGTH_MAX`]; beyond it where nothing is remembered.
    length: usize,
    pass: RuleBits,
}

impl Gates {
    /// The gates of these rules; a rule that stands there twice needs only what one of them says. `open` pass always.
    pub fn new<'n>(
        needs: impl Iterator<Item = (u16, &'n Needs)> + Clone,
        open: &RuleBits,
        rules: usize,
        frequency: &Frequency,
    ) -> Gates {
        let chosen =
            choose(&needs.clone().map(|(_, needs)| &needs.classes[..]).collect::<Vec<_>>(), frequency);
        let mut holds = Box::new([0u64; 256]);
        for (bit, class) in chosen.iter().enumerate() {
            // A byte is below 256.
            class.iter().for_each(|byte| holds[usize::from(byte)] |= 1 << bit);
        }
        let further = |seen: &mut RuleBits, rule: u16| {
            let again = seen.contains(rule);
            seen.insert(rule);
            again
        };
        let mut seen = open.clone();
        let base = rules.next_multiple_of(64);
        let count = base + needs.clone().filter(|(rule, _)| further(&mut seen, *rule)).count();
        let mut keys = RuleBits::new(count);
        keys.union(open);
        let mut gates = Gates {
            holds,
            keys,
            base,
            further: Box::default(),
            needs: Box::default(),
            classes: chosen.len(),
            rules,
        };
        if count > usize::from(u16::MAX) {
            // So many keys have no numbers; what they would turn away is searched for in vain.
            gates.keys = RuleBits::full(rules);
            return gates;
        }
        let mut sets = vec![RuleBits::new(count); chosen.len() + LENGTH_MAX + 1];
        let mut owners = Vec::new();
        for (rule, needs) in needs.filter(|(rule, _)| !open.contains(*rule)) {
            let key = match gates.keys.contains(rule) {
                false => rule,
                true => {
                    owners.push(rule);
                    (base + owners.len() - 1) as u16
                }
            };
            gates.keys.insert(key);
            let (of_class, longer) = sets.split_at_mut(chosen.len());
            let needed = of_class.iter_mut().zip(&chosen).filter(|(_, class)| needs.classes.contains(class));
            needed.for_each(|(set, _)| set.insert(key));
            longer.iter_mut().take(needs.min_len.min(LENGTH_MAX)).for_each(|set| set.insert(key));
        }
        gates.needs = sets.iter().flat_map(|set| set.words()).copied().collect();
        gates.further = owners.into();
        gates
    }

    /// The rules that `view` may match for all that its bytes and its length tell.
    #[inline]
    pub fn pass<'m>(&self, memory: &'m mut GatesMemory, view: &[u8], present: &[u64; 4]) -> &'m RuleBits {
        let mut have = 0u64;
        if view.len() <= SHORT {
            view.iter().for_each(|byte| have |= self.holds[usize::from(*byte)]);
        } else {
            for (word, first) in present.iter().zip([0usize, 64, 128, 192]) {
                let mut word = *word;
                while word != 0 {
                    // At most 192 + 63.
                    have |= self.holds[first + word.trailing_zeros() as usize];
                    word &= word - 1;
                }
            }
        }
        let length = view.len().min(LENGTH_MAX);
        let GatesMemory { places, keys } = memory;
        if places.is_empty() {
            let nothing = Remembered { have: 0, length: usize::MAX, pass: RuleBits::new(self.rules) };
            places.resize(MEMORY, nothing);
        }
        let hash = (have ^ (length as u64) << 59).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56;
        // A hash of eight bits is below MEMORY.
        let place = &mut places[hash as usize];
        if (place.have, place.length) != (have, length) {
            (place.have, place.length) = (have, length);
            self.work_out(have, length, keys, &mut place.pass);
        }
        &place.pass
    }

    #[inline(never)]
    fn work_out(&self, have: u64, length: usize, keys: &mut RuleBits, pass: &mut RuleBits) {
        keys.copy_from(&self.keys);
        let mut subtract = |set: usize| {
            let words = keys.words_mut();
            let of_set = self.needs.get(set * words.len()..).unwrap_or_default();
            words.iter_mut().zip(of_set).for_each(|(word, of_set)| *word &= !of_set);
        };
        let mut lacking = !have & u64::MAX.checked_shr((CLASSES_MAX - self.classes) as u32).unwrap_or(0);
        while lacking != 0 {
            subtract(lacking.trailing_zeros() as usize);
            lacking &= lacking - 1;
        }
        subtract(self.classes + length);
        pass.copy_front(keys);
        for key in keys.iter_from(self.base) {
            if let Some(rule) = self.further.get(usize::from(key) - self.base) {
                pass.insert(*rule);
            }
        }
    }
}

/// The classes that turn away most, for as many as there may be: the next is always the one that helps those keys most that
/// the chosen help least.
fn choose(keys: &[&[ByteClass]], frequency: &Frequency) -> Vec<ByteClass> {
    // How likely a value of some twenty bytes holds none of a class.
    let worth = |class: &ByteClass| (1.0 - frequency.of_class(class).min(1.0)).powi(20);
    let mut of_class: BTreeMap<ByteClass, (f32, Vec<usize>)> = BTreeMap::new();
    for (key, classes) in keys.iter().enumerate() {
        for class in *classes {
            of_class.entry(*class).or_insert_with(|| (worth(class), Vec::new())).1.push(key);
        }
    }
    let mut best = vec![0.0f32; keys.len()];
    let mut chosen = Vec::new();
    while chosen.len() < CLASSES_MAX {
        // That a key asks for a second class is worth something too.
        let gain = |worth: f32, of: &[usize]| -> f32 {
            of.iter().map(|key| (worth - best.get(*key).copied().unwrap_or(1.0)).max(worth * 0.05)).sum()
        };
        let next = of_class
            .iter()
            .map(|(class, (worth, of))| (gain(*worth, of), *class))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let Some((_, class)) = next.filter(|(gain, _)| *gain > 0.01) else { break };
        let Some((worth, of)) = of_class.remove(&class) else { break };
        for key in of {
            if let Some(best) = best.get_mut(key) {
                *best = best.max(worth);
            }
        }
        chosen.push(class);
    }
    chosen
}
