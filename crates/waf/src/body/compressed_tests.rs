use super::*;
use flate2::{Compression, write};
use proptest::{collection::vec, prelude::*};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::io::Write;

const LIMITS: Limits = Limits { output_max: 4096, ratio_max: 100, layers_max: 2 };
const ALL: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

fn encoded(coding: Coding, plain: &[u8]) -> Vec<u8> {
    match coding {
        Coding::Gzip => {
            let mut encoder = write::GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        Coding::Deflate => {
            let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        Coding::Brotli => stored_brotli(plain),
        Coding::Zstd => compress_to_vec(plain, CompressionLevel::Fastest),
    }
}

/// RFC 7932 9.1, 9.2: a window of 16 bits, one meta-block that is stored, and the empty last one.
fn stored_brotli(plain: &[u8]) -> Vec<u8> {
    if plain.is_empty() {
        return vec![0b0110];
    }
    // Bits from the lowest: the window (0), not the last, 16 bits of length, the length less one, stored.
    let length = u32::try_from(plain.len() - 1).unwrap();
    let head = (length << 4 | 1 << 20).to_le_bytes();
    [&head[..3], plain, &[0b11]].concat()
}

fn undone(coding: Coding, body: &[u8]) -> Result<Decoded, CompressionError> {
    decode(body, &[coding], true, &LIMITS)
}

fn whole(bytes: &[u8]) -> Decoded {
    Decoded { bytes: bytes.to_vec(), complete: true }
}

#[test]
fn the_list_of_codings_is_read_in_order_and_what_is_unknown_refuses_it() {
    let list = |fields: &[&str]| Coding::list(fields.iter().map(|field| field.as_bytes()));
    assert_eq!(
        list(&["GZIP, br", "x-gzip,identity ,,zstd", "deflate"]).unwrap(),
        [Coding::Gzip, Coding::Brotli, Coding::Gzip, Coding::Zstd, Coding::Deflate,]
    );
    assert_eq!(list(&["identity"]), Some(vec![]));
    for unknown in ["compress", "gzip;q=1", "dcb", "gzip br", "*"] {
        assert_eq!(list(&[unknown]), None, "{unknown}");
    }
}

#[test]
fn every_coding_is_undone() {
    let plain = b"a=1&b=<script>&c=some text that is some text";
    for coding in ALL {
        assert_eq!(undone(coding, &encoded(coding, plain)), Ok(whole(plain)), "{coding:?}");
    }
    let mut raw = write::DeflateEncoder::new(Vec::new(), Compression::best());
    raw.write_all(plain).unwrap();
    assert_eq!(undone(Coding::Deflate, &raw.finish().unwrap()), Ok(whole(plain)));
    // From the tests of Brotli itself: 10x10y.
    let brotli = [0x1b, 0x13, 0, 0, 0xa4, 0xb0, 0xb2, 0xea, 0x81, 0x47, 0x02, 0x8a];
    assert_eq!(undone(Coding::Brotli, &brotli), Ok(whole(b"XXXXXXXXXXYYYYYYYYYY")));
    assert_eq!(decode(plain, &[], true, &LIMITS), Ok(whole(plain)));
}

#[test]
fn layers_are_undone_from_the_last_and_bounded() {
    let twice = encoded(Coding::Gzip, &encoded(Coding::Zstd, b"abc"));
    assert_eq!(decode(&twice, &[Coding::Zstd, Coding::Gzip], true, &LIMITS), Ok(whole(b"abc")));
    assert_eq!(
        decode(&twice, &[Coding::Gzip, Coding::Zstd], true, &LIMITS),
        Err(CompressionError::Malformed(Coding::Zstd))
    );
    assert_eq!(decode(&twice, &[Coding::Gzip; 3], true, &LIMITS), Err(CompressionError::Layers));
}

#[test]
fn members_and_frames_follow_one_another() {
    for coding in [Coding::Gzip, Coding::Zstd] {
        let two = [encoded(coding, b"abc"), encoded(coding, b"def")].concat();
        assert_eq!(undone(coding, &two), Ok(whole(b"abcdef")), "{coding:?}");
    }
    let skippable =
        [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3], encoded(Coding::Zstd, b"abc").as_slice()].concat();
    assert_eq!(undone(Coding::Zstd, &skippable), Ok(whole(b"abc")));
}

#[test]
fn members_and_frames_are_counted() {
    for coding in [Coding::Gzip, Coding::Zstd] {
        let one = encoded(coding, b"ab");
        assert_eq!(undone(coding, &one.repeat(64)), Ok(whole(&b"ab".repeat(64))), "{coding:?}");
        for complete in [true, false] {
            let refused = decode(&one.repeat(65), &[coding], complete, &LIMITS);
            assert_eq!(refused, Err(CompressionError::Malformed(coding)), "{coding:?}");
        }
    }
}

#[test]
fn a_gzip_header_may_hold_all_that_it_may() {
    let plain = encoded(Coding::Gzip, b"abc");
    let mut fields = plain[..10].to_vec();
    fields[3] = 0b1_1111;
    fields.extend_from_slice(b"\x02\0xyname\0comment\0\0\0");
    let body = [fields.as_slice(), &plain[10..]].concat();
    assert_eq!(undone(Coding::Gzip, &body), Ok(whole(b"abc")));
    fields[3] = 0b10_0000;
    assert!(undone(Coding::Gzip, &[fields.as_slice(), &plain[10..]].concat()).is_err());
}

#[test]
fn what_follows_the_end_or_is_changed_is_refused() {
    for coding in ALL {
        let good = encoded(coding, b"some text");
        let longer = [good.as_slice(), b"x"].concat();
        assert_eq!(undone(coding, &longer), Err(CompressionError::Malformed(coding)), "{coding:?}");
        assert_eq!(undone(coding, b"plain text"), Err(CompressionError::Malformed(coding)), "{coding:?}");
    }
    for coding in [Coding::Gzip, Coding::Deflate, Coding::Zstd] {
        let mut changed = encoded(coding, b"some text");
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(undone(coding, &changed), Err(CompressionError::Malformed(coding)), "{coding:?}");
    }
}

#[test]
fn a_bomb_is_told_from_a_long_text() {
    let zeros = vec![0; 400_000];
    for coding in [Coding::Gzip, Coding::Deflate, Coding::Zstd] {
        let bomb = encoded(coding, &zeros);
        for output_max in [1 << 20, 1 << 16] {
            let limits = Limits { output_max, ..LIMITS };
            let refused = decode(&bomb, &[coding], true, &limits).unwrap_err();
            assert_eq!(refused, CompressionError::Ratio, "{coding:?}");
        }
        let lenient = Limits { output_max: 1 << 20, ratio_max: 100_000, ..LIMITS };
        assert!(decode(&bomb, &[coding], true, &lenient) == Ok(whole(&zeros)), "{coding:?}");
    }
}

#[test]
fn what_is_longer_than_the_output_is_given_as_far_as_it_fits() {
    // Text that does not compress well.
    let long: Vec<u8> = (0u32..20_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for coding in ALL {
        let decoded = undone(coding, &encoded(coding, &long)).unwrap();
        assert_eq!((decoded.bytes.as_slice(), decoded.complete), (&long[..4096], false), "{coding:?}");
        let fits = undone(coding, &encoded(coding, &long[..4096])).unwrap();
        assert_eq!(fits, whole(&long[..4096]), "{coding:?}");
    }
}

#[test]
fn a_body_that_was_cut_gives_what_is_there() {
    let long: Vec<u8> = (0u32..3000).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for coding in ALL {
        let body = encoded(coding, &long);
        for cut in 1..body.len() {
            let decoded = decode(&body[..cut], &[coding], false, &LIMITS);
            let decoded = decoded.unwrap_or_else(|error| panic!("{coding:?} cut at {cut}: {error}"));
            assert!(!decoded.complete && long.starts_with(&decoded.bytes), "{coding:?} cut at {cut}");
            let refused = undone(coding, &body[..cut]);
            assert_eq!(refused, Err(CompressionError::Malformed(coding)), "{coding:?} cut at {cut}");
        }
        assert!(decode(&body[..body.len() - 1], &[coding], false, &LIMITS).unwrap().bytes.len() > 2000);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_give_too_much(
        body in vec(any::<u8>(), 0..200), head in 0usize..5, complete: bool, output_max in 0usize..100,
    ) {
        let limits = Limits { output_max, ..LIMITS };
        for coding in ALL {
            let start = encoded(coding, b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabc");
            let body = [&start[..start.len().min(3 * head)], &body].concat();
            if let Ok(decoded) = decode(&body, &[coding], complete, &limits) {
                prop_assert!(decoded.bytes.len() <= output_max);
            }
        }
    }

    #[test]
    fn a_good_body_with_changed_bytes_does_not_make_it_panic(
        text in "[a-f ]{0,400}", changes in vec((any::<u16>(), any::<u8>()), 1..4), complete: bool,
    ) {
        let brotli = vec![0x1b, 0x13, 0, 0, 0xa4, 0xb0, 0xb2, 0xea, 0x81, 0x47, 0x02, 0x8a];
        let bodies = ALL.map(|coding| (coding, encoded(coding, text.as_bytes())));
        for (coding, mut body) in bodies.into_iter().chain([(Coding::Brotli, brotli)]) {
            for (at, with) in &changes {
                let at = usize::from(*at) % body.len();
                body[at] = *with;
            }
            if let Ok(decoded) = decode(&body, &[coding], complete, &LIMITS) {
                prop_assert!(decoded.bytes.len() <= LIMITS.output_max);
            }
        }
    }

    #[test]
    fn what_is_encoded_is_read_back(plain in vec(any::<u8>(), 0..2000), first in 0usize..4, second in 0usize..4) {
        let codings = [ALL[first], ALL[second]];
        let body = encoded(codings[1], &encoded(codings[0], &plain));
        prop_assert_eq!(decode(&body, &codings, true, &LIMITS), Ok(whole(&plain)));
    }
}
