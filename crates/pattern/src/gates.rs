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
    /// Each way to match: the rule, the classes that it needs, the shortest value.
    keys: Vec<(u16, u64, usize)>,
    rules: usize,
}

/// What a worker remembers of gates: the rules that pass, by what a value holds and how long it is.
#[derive(Debug, Default)]
pub(crate) struct GatesMemory(Vec<Remembered>);

#[derive(Debug, Clone)]
struct Remembered {
    have: u64,
    /// The length, up to [`LENGTH_MAX`]; beyond it where nothing is remembered.
    length: usize,
    pass: RuleBits,
}

impl Gates {
    /// The gates of these rules; a rule that stands there twice needs only what one of them says.
    pub fn new<'n>(
        needs: impl Iterator<Item = (u16, &'n Needs)> + Clone,
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
        let keys = needs.map(|(rule, needs)| {
            let asked = chosen.iter().enumerate().filter(|(_, class)| needs.classes.contains(class));
            let need = asked.fold(0u64, |need, (bit, _)| need | 1 << bit);
            (rule, need, needs.min_len.min(LENGTH_MAX))
        });
        Gates { holds, keys: keys.collect(), rules }
    }

    /// The rules that `view` may match for all that its bytes and its length tell.
    #[inline]
    pub fn pass<'m>(&self, memory: &'m mut GatesMemory, view: &[u8], present: &[u64; 4]) -> &'m RuleBits {
        let mut have = 0;
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
        if memory.0.is_empty() {
            memory
                .0
                .resize(MEMORY, Remembered { have: 0, length: usize::MAX, pass: RuleBits::new(self.rules) });
        }
        let hash = (have ^ (length as u64) << 59).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56;
        // A hash of eight bits is below MEMORY.
        let place = &mut memory.0[hash as usize];
        if (place.have, place.length) != (have, length) {
            (place.have, place.length) = (have, length);
            self.work_out(have, length, &mut place.pass);
        }
        &place.pass
    }

    #[cold]
    fn work_out(&self, have: u64, length: usize, pass: &mut RuleBits) {
        pass.clear();
        for (rule, need, min_len) in &self.keys {
            if need & !have == 0 && length >= *min_len {
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
