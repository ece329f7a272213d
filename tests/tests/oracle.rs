//! The engine against ModSecurity 3 itself: every transformation, value by value.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::oracle::{Oracle, hex};
use secbeat_transform::Transformation;
use std::path::Path;

/// What transformations look for, whole and cut.
const PIECES: &[&[u8]] = &[
    b"%",
    b"%u",
    b"%U",
    b"%41",
    b"%u0041",
    b"%uff1c",
    b"%uFF5e",
    b"%u2039",
    b"%u00ad",
    b"%zz",
    b"+",
    b"&",
    b"&#",
    b"&#x",
    b"&#60",
    b"&#0060;",
    b"&#x3C;",
    b"&#x00000000000000000003c",
    b"&#99999999999999999999",
    b"&#xfffffffffffffffffffff;",
    b"&lt",
    b"&GT;",
    b"&quot;",
    b"&amp;",
    b"&nbsp",
    b"&ltx;",
    b";",
    b"#",
    b"\\",
    b"\\u",
    b"\\u003c",
    b"\\uff1e",
    b"\\x",
    b"\\x3c",
    b"\\X41",
    b"\\101",
    b"\\400",
    b"\\777",
    b"\\8",
    b"\\n",
    b"\\v",
    b"\\?",
    b"\\\n",
    b"\\9",
    b"\\41",
    b"\\041 ",
    b"\\0041",
    b"\\ff1c",
    b"\\0ff1c",
    b"\\00ff1c",
    b"\\1ff1c",
    b"\\10ff1c",
    b"\\0000041",
    b"/",
    b"//",
    b"/.",
    b"./",
    b"..",
    b"../",
    b"/../",
    b"\\\\",
    b".",
    b"/*",
    b"*/",
    b"*",
    b"<!--",
    b"-->",
    b"--",
    b"-",
    b" ",
    b"\t",
    b"\n",
    b"\x0b",
    b"\x0c",
    b"\r",
    b"\xa0",
    b"\xc2\xa0",
    b"\"",
    b"'",
    b"^",
    b",",
    b"(",
    b"a",
    b"Z",
    b"9",
    b"0x",
    b"0X",
    b"0x41",
    b"0x4142434",
    b"=",
    b"==",
    b"VGVz",
    b"VG",
    b"V",
    b"\0",
    "é".as_bytes(),
    "‹".as_bytes(),
    "😀".as_bytes(),
    b"\xc0\xbc",
    b"\xe0\x80\xbc",
    b"\xed\xa0\x80",
    b"\xf5\x80\x80\x80",
    b"\xf7\xbf\xbf\xbf",
    b"\xc3",
    b"\xe2\x80",
    b"\xf0\x9f\x98",
    b"\x80",
    b"\xff",
    b"union",
    b"SELECT",
];

/// A generator with a seed, so that a difference can be looked at again (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    /// Pieces one after the other, some cut, some with any byte between them.
    fn value(&mut self) -> Vec<u8> {
        let mut value = Vec::new();
        for _ in 0..self.below(9) {
            let piece = PIECES[self.below(PIECES.len())];
            match self.below(8) {
                0 => value.extend_from_slice(&piece[..self.below(piece.len() + 1)]),
                1 => value.push(self.below(256) as u8),
                _ => value.extend_from_slice(piece),
            }
        }
        value
    }
}

/// Nothing, every piece, and many values made by chance: `ORACLE_VALUES`, or as many as fit into a quarter of a minute.
fn values(seed: u64) -> Vec<Vec<u8>> {
    let count = std::env::var("ORACLE_VALUES").map_or(2000, |count| count.parse().unwrap());
    let mut random = Random(seed);
    let alone = PIECES.iter().map(|piece| piece.to_vec());
    let chance = std::iter::repeat_with(move || random.value()).take(count);
    [Vec::new()].into_iter().chain(alone).chain(chance).collect()
}

/// Where Debian puts the table of code pages, with nginx's module.
const CODE_PAGES: [&str; 2] =
    ["/etc/nginx/unicode.mapping", "/usr/share/nginx/docs/modsecurity/unicode.mapping"];

/// Whether a difference is meant, and why.
fn is_meant(transformation: Transformation, value: &[u8], ours: &[u8], theirs: &[u8]) -> bool {
    let to_nul = |bytes: &[u8]| bytes.split(|&b| b == 0).next().unwrap_or_default().to_vec();
    match transformation {
        // Nothing for a value with one strange byte would hide what is before it; and the bytes of an unpadded last group are
        // lost in ModSecurity 3, not in 2.
        Transformation::Base64Decode => {
            theirs.is_empty() || (ours.starts_with(theirs) && ours.len() - theirs.len() <= 2)
        }
        // 3.0.9 drops all behind a NUL; 3.0.13 does not.
        Transformation::CssDecode => theirs == to_nul(ours),
        // 3.0.9 besides drops the last byte, and takes the one behind a number as it comes; 3.0.13 does not.
        Transformation::SqlHexDecode => {
            let numbers = value.windows(2).filter(|two| two.eq_ignore_ascii_case(b"0x")).count();
            numbers > 1
                || [ours, ours.split_last().map_or(&[][..], |(_, head)| head)]
                    .map(to_nul)
                    .contains(&theirs.to_vec())
        }
        _ => false,
    }
}

#[test]
fn every_transformation_gives_what_modsecurity_gives() {
    let Some(mut oracle) = Oracle::start() else { return };
    let values = values(20261123);
    let mut different = Vec::new();
    for transformation in Transformation::all() {
        let name = transformation.name();
        let mut rules = format!(
            "SecRuleEngine On\nSecRule REQUEST_HEADERS:X \"@unconditionalMatch\" \
             \"id:1,phase:1,t:none,t:{name},t:hexEncode,status:302,redirect:'http://x/%{{MATCHED_VAR}}'\""
        );
        if transformation == Transformation::UrlDecodeUni {
            let Some(table) = CODE_PAGES.iter().find(|path| Path::new(path).exists()) else {
                println!(
                    "skipped: urlDecodeUni needs unicode.mapping (package libnginx-mod-http-modsecurity)"
                );
                continue;
            };
            rules = format!("SecUnicodeMapFile {table} 20127\n{rules}");
        }
        oracle.rules(&rules).unwrap();
        let mut count = 0;
        for (value, answer) in values.iter().zip(oracle.values(&values)) {
            let theirs = answer.url.strip_prefix("http://x/").unwrap();
            let mut ours = Vec::new();
            if !transformation.apply(value, &mut ours) {
                ours.clone_from(value);
            }
            if hex(&ours) != theirs && !is_meant(transformation, value, &ours, &unhex(theirs)) {
                count += 1;
                if count <= 5 {
                    different.push(format!(
                        "{name} of {}: {} here, {} there",
                        value.escape_ascii(),
                        ours.escape_ascii(),
                        unhex(theirs).escape_ascii()
                    ));
                }
            }
        }
        if count > 5 {
            different.push(format!("{name}: {count} in all"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).unwrap() as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
