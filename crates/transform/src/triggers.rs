//! Which values a transformation can change: a value that holds none of its triggers it leaves as it is.

use crate::ByteSet;
use crate::Transformation::{self, *};
use crate::single_bytes::{parity_even, parity_odd};

const SPACE: ByteSet = ByteSet::of(b" \t\n\x0b\x0c\r");
const BACKSLASH: ByteSet = ByteSet::of(b"\\");
const CAPITALS: ByteSet = ByteSet::range(b'A', b'Z');
const NUL: ByteSet = ByteSet::of(b"\0");
/// What only ever stands between other marks of comments: none of `/*`, `<!--`, `--` and `#` does without one of these.
const COMMENT_MARKS: ByteSet = ByteSet::of(b"*-#");

impl Transformation {
    /// The bytes of which a value must hold one for this to change it. If it is full, anything may be changed: a digest and
    /// `length` then change the empty value too, all others never do.
    pub const fn triggers(self) -> &'static ByteSet {
        match self {
            Base64Decode | Base64DecodeExt | Base64Encode | HexDecode | HexEncode | Length | Md5 | Sha1 => {
                &ByteSet::FULL
            }
            CmdLine => const { &ByteSet::of(b"\"'\\^ ,;\t\r\n").union(&CAPITALS) },
            CompressWhitespace | Trim | TrimLeft | TrimRight => &SPACE,
            CssDecode | EscapeSeqDecode | JsDecode => &BACKSLASH,
            HtmlEntityDecode => const { &ByteSet::of(b"&") },
            Lowercase => &CAPITALS,
            // `.` alone is a path that is nothing, and `//` needs no dot.
            NormalizePath => const { &ByteSet::of(b"./") },
            NormalizePathWin => const { &ByteSet::of(b"./\\") },
            ParityEven7bit => const { &changed_by_parity(false) },
            ParityOdd7bit => const { &changed_by_parity(true) },
            ParityZero7bit => const { &ByteSet::range(0x80, 0xff) },
            RemoveComments | RemoveCommentsChar => &COMMENT_MARKS,
            RemoveNulls | ReplaceNulls => &NUL,
            RemoveWhitespace => const { &SPACE.union(&ByteSet::of(&[0xa0, 0xc2])) },
            ReplaceComments => const { &ByteSet::of(b"*") },
            SqlHexDecode => const { &ByteSet::of(b"xX") },
            Uppercase => const { &ByteSet::range(b'a', b'z') },
            UrlDecode | UrlDecodeUni => const { &ByteSet::of(b"%+") },
            UrlEncode => {
                const {
                    let kept = ByteSet::range(b'0', b'9').union(&CAPITALS).union(&ByteSet::range(b'a', b'z'));
                    &kept.with(b'*').complement()
                }
            }
            Utf8ToUnicode => const { &NUL.union(&ByteSet::range(0xc0, 0xf7)) },
        }
    }
}

/// The bytes that `parityEven7bit` or `parityOdd7bit` changes.
const fn changed_by_parity(odd: bool) -> ByteSet {
    let mut set = ByteSet::EMPTY;
    let mut rest = 256u16;
    while rest > 0 {
        rest -= 1;
        let byte = rest as u8;
        let after = if odd { parity_odd(byte) } else { parity_even(byte) };
        if after != byte {
            set = set.with(byte);
        }
    }
    set
}
