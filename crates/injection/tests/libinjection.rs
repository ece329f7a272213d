//! The port against the C it was ported from: the same verdict and the same fingerprint, for every value but those with
//! a byte 0xff, of which the port finds more to be cross-site scripting.

mod common;

use common::{Oracle, padded, payloads};
use proptest::prelude::*;
use secbeat_injection::{is_sqli, is_xss, may_be_sqli, may_be_xss};

/// What the two say differently of the value, if anything.
fn difference(oracle: &Oracle, value: &[u8]) -> Option<String> {
    let padded = padded(value);
    let ours = (is_sqli(value).map(|found| found.as_bytes().to_vec()), is_xss(value));
    let theirs = (oracle.sqli(value, &padded), oracle.xss(value, &padded));
    // The C takes the byte 0xff for the end of the value, and does not see the attack behind it.
    let ends_early = value.contains(&0xff) && ours.1 && !theirs.1;
    let theirs = (theirs.0, theirs.1 || ends_early);
    let gated = (theirs.0.is_some() && !may_be_sqli(value)) || (theirs.1 && !may_be_xss(value));
    let show = |(sqli, xss): &(Option<Vec<u8>>, bool)| {
        format!("{:?}/{xss}", sqli.as_ref().map(|letters| letters.escape_ascii().to_string()))
    };
    (ours != theirs || gated).then(|| {
        format!("{}: {} here, {} in C, gated: {gated}", value.escape_ascii(), show(&ours), show(&theirs))
    })
}

/// xorshift64* (Vigna 2016): the same mutations in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }
}

/// What attackers put between and around things.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "'", "\"", "`", "/*", "*/", "/*!", "--", "-- ", "#", ";", "(", ")", "{", "}", ",", ".", "::", ":", "@",
    "@@", "$", "$$", "$a$", "\\", "\\N", "\0", "\u{a0}", "\n", " ", "=", "<=>", "!=", "||", "&&", "!", "~",
    "-", "+", "%", "1", "0x", "0x1f", "0b1", "1e", "1e5", "1.", ".5", "1f", "e'", "n'", "u&'", "q'(", ")'",
    "nq'[", "]'", "b'01'", "x'1f'", "[", "]", " or ", " and ", " union ", " all ", " select ", "in(", " not ",
    " like ", " is ", " null", "user(", "if(", "; if ", "sleep(", " from ", " as ", "int ", " collate ",
    "utf8_bin", " group ", " by ", "into outfile ", "sp_password", "current ", "degree ", "binary ", "<", ">",
    "</", "/>", "<!", "<!--", "-->", "-!>", "<?", "<%", "%>", "<![CDATA[", "]]>", "<!doctype", "<script",
    "<svg", "<a ", "<\0b", "onload=", " href=", "src=", "style=", "xmlns:", "attributename=", "javascript:",
    "&#106;", "&#x6a", "java\0script", "data:", "[if", "xml", "import",
];

#[test]
fn every_payload_has_the_verdict_and_the_fingerprint_of_the_c_library() {
    let Some(oracle) = Oracle::load() else {
        println!("skipped: no libmodsecurity.so.3");
        return;
    };
    let Some(payloads) = payloads() else {
        println!("skipped: no corpora");
        return;
    };
    let mut random = Random(0x5ecb_ea70);
    let mut differences = Vec::new();
    let mut compared = 0;
    for (_, value) in &payloads {
        differences.extend(difference(&oracle, value));
        let piece = PIECES[random.below(PIECES.len())].as_bytes();
        let mut mutated = value.clone();
        let at = random.below(mutated.len() + 1);
        match random.below(3) {
            0 => drop(mutated.splice(at..at, piece.iter().copied())),
            1 => mutated.truncate(at),
            _ => {
                let to = (at + random.below(4)).min(mutated.len());
                mutated.splice(at..to, piece.iter().copied());
            }
        }
        differences.extend(difference(&oracle, &mutated));
        compared += 2;
    }
    assert!(compared > 300_000, "{compared}");
    assert!(
        differences.is_empty(),
        "{} of {compared}:\n{}",
        differences.len(),
        differences[..differences.len().min(40)].join("\n")
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]

    #[test]
    fn what_attacks_are_made_of_is_read_as_by_the_c_library(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..14),
    ) {
        if let Some(oracle) = Oracle::load() {
            let difference = difference(&oracle, pieces.concat().as_bytes());
            prop_assert!(difference.is_none(), "{}", difference.unwrap_or_default());
        }
    }

    #[test]
    fn any_bytes_are_read_as_by_the_c_library(value in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Some(oracle) = Oracle::load() {
            let difference = difference(&oracle, &value);
            prop_assert!(difference.is_none(), "{}", difference.unwrap_or_default());
        }
    }
}
