//! Command lines, as `cmdLine` knows them.

use crate::bytes::within;

/// What becomes of a byte: nothing, a space, itself without a space before it, or its small letter.
const DROP: u8 = 0;
const SPACE: u8 = 1;
const TIGHT: u8 = 2;
const KEEP: u8 = 3;

const KINDS: [u8; 256] = kinds();

const fn kinds() -> [u8; 256] {
    let mut kinds = [KEEP; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'"' | b'\'' | b'\\' | b'^' => DROP,
            b' ' | b',' | b';' | b'\t' | b'\r' | b'\n' => SPACE,
            b'/' | b'(' => TIGHT,
            _ => KEEP,
        };
        byte += 1;
    }
    kinds
}

/// Takes away what shells skip inside a word (`\`, `"`, `'`, `^`), makes each run of spaces, commas, semicolons and line
/// breaks one space and none before `/` and `(`, and letters small.
pub fn normalize(input: &[u8], out: &mut Vec<u8>) -> bool {
    within(input, out, |input, room| {
        // Whether the last byte written is a space that may still be joined or taken back.
        let (mut len, mut space) = (0, false);
        for &byte in input {
            let kind = KINDS[usize::from(byte)];
            len -= usize::from(space & (kind == TIGHT));
            if let Some(place) = room.get_mut(len) {
                *place = if kind == SPACE { b' ' } else { byte.to_ascii_lowercase() };
            }
            len += usize::from((kind >= TIGHT) | (kind == SPACE) & !space);
            space = (kind == SPACE) | (kind == DROP) & space;
        }
        len
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_as_the_shell_reads_it() {
        let mut out = Vec::new();
        normalize(b"C^a\"T\"  ,;\t'/etc\\/passwd' (ID) ; \\ \"", &mut out);
        assert_eq!(out, b"cat/etc/passwd(id) ");
    }
}
