//! Numbers of people and cards: found by an expression, held good by a check.

use secbeat_pattern::{MatchCache, Matcher};
use std::ops::Range;

/// A check of the digits in what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// `@verifyCC`: the checksum of Luhn (ISO/IEC 7812-1).
    CreditCard,
    /// `@verifySSN`: a number that the United States may have given out.
    Ssn,
    /// `@verifyCPF`: the two check digits of Brazil's taxpayer register.
    Cpf,
}

/// The first hit whose digits are held good. Hits do not overlap, but one that is held bad does not hide those inside it: the
/// search goes on behind its first byte, at most [`TRIES_MAX`] times.
pub fn find(matcher: &Matcher, cache: &mut MatchCache, check: Check, value: &[u8]) -> Option<Range<usize>> {
    let mut from = 0;
    for _ in 0..TRIES_MAX {
        let rest = value.get(from..)?;
        let range = matcher.find_iter(cache, rest).next()?;
        let found = rest.get(range.clone())?;
        if check.holds(found) {
            return Some(from + range.start..from + range.end);
        }
        from += range.start + 1;
    }
    None
}

/// How many hits are tried in one value.
const TRIES_MAX: usize = 1_000;

impl Check {
    /// Whether the digits in a text are held good; what is no digit is passed over.
    pub fn holds(self, text: &[u8]) -> bool {
        let digits: Vec<u32> = text
            .iter()
            .filter(|byte| byte.is_ascii_digit())
            .map(|byte| u32::from(byte - b'0'))
            .take(64)
            .collect();
        match self {
            Check::CreditCard => luhn(&digits),
            Check::Ssn => ssn(&digits),
            Check::Cpf => cpf(&digits),
        }
    }
}

fn luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .iter()
        .rev()
        .zip(0..)
        .map(|(digit, at)| if at % 2 == 1 { doubled(*digit) } else { *digit })
        .sum();
    !digits.is_empty() && sum.is_multiple_of(10)
}

/// Nine digits: area, group and serial; none of them zero, no area that was never given out, not all alike or in sequence.
fn ssn(digits: &[u32]) -> bool {
    let [a, b, c, d, e, f, g, h, i] = *digits else { return false };
    let (area, group, serial) = (a * 100 + b * 10 + c, d * 10 + e, f * 1000 + g * 100 + h * 10 + i);
    let pairs = || digits.iter().zip(digits.iter().skip(1));
    let sequence = pairs().all(|(one, next)| one + 1 == *next);
    let alike = pairs().all(|(one, next)| one == next);
    area != 0 && group != 0 && serial != 0 && area < 740 && area != 666 && !sequence && !alike
}

/// Eleven digits of which the last two follow from the others, not all alike.
fn cpf(digits: &[u32]) -> bool {
    let [.., first, second] = *digits else { return false };
    let check = |count: usize| {
        let weights = (2..=count as u32 + 1).rev();
        match digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum::<u32>() % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        }
    };
    let alike = digits.iter().all(|digit| *digit == first);
    digits.len() == 11 && !alike && check(9) == first && check(10) == second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_are_held_good_and_their_neighbours_are_not() {
        let good = [
            (Check::CreditCard, "4111 1111 1111 1111"),
            (Check::CreditCard, "5500-0055-5555-5559"),
            (Check::Ssn, "078-05-1120"),
            (Check::Cpf, "529.982.247-25"),
        ];
        for (check, text) in good {
            assert!(check.holds(text.as_bytes()), "{text}");
        }
        let bad = [
            (Check::CreditCard, "4111 1111 1111 1112"),
            (Check::CreditCard, "no digits"),
            (Check::Ssn, "000-05-1120"),
            (Check::Ssn, "666-05-1120"),
            (Check::Ssn, "123456789"),
            (Check::Ssn, "222222222"),
            (Check::Cpf, "529.982.247-26"),
            (Check::Cpf, "111.111.111-11"),
            (Check::Cpf, "1"),
        ];
        for (check, text) in bad {
            assert!(!check.holds(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_hit_that_is_held_bad_does_not_hide_a_good_one() {
        let matcher = Matcher::new(r"\d{16}").unwrap();
        let value = b"x1234567890123456 94111111111111111";
        let found = find(&matcher, &mut MatchCache::default(), Check::CreditCard, value);
        assert_eq!(found.and_then(|range| value.get(range)), Some(&b"4111111111111111"[..]));
    }
}
