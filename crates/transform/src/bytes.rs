//! Text with the escapes in it replaced: what all decoders share.

/// Copies `input` to `out`, and where `find` points lets `replace` take over: it gets all that is left, writes what stands
/// there instead and returns how many bytes it read, at least one. Whether `find` ever pointed anywhere; if not, nothing is
/// written.
pub fn rewrite(
    input: &[u8],
    out: &mut Vec<u8>,
    find: impl Fn(&[u8]) -> Option<usize>,
    mut replace: impl FnMut(&[u8], &mut Vec<u8>) -> usize,
) -> bool {
    let mut rest = input;
    let mut found = false;
    while let Some((run, escape)) = find(rest).and_then(|at| rest.split_at_checked(at)) {
        if !found {
            out.reserve(input.len());
            found = true;
        }
        out.extend_from_slice(run);
        let read = replace(escape, out).max(1);
        rest = escape.get(read..).unwrap_or_default();
    }
    if found {
        out.extend_from_slice(rest);
    }
    found
}

/// Writes what `write` makes of `input`, at most as many bytes: it is given that much room and returns how much it took. For
/// loops that must not branch on what they read.
pub fn within(input: &[u8], out: &mut Vec<u8>, write: impl FnOnce(&[u8], &mut [u8]) -> usize) -> bool {
    let before = out.len();
    out.resize(before + input.len(), 0);
    let took = write(input, out.get_mut(before..).unwrap_or_default());
    out.truncate(before + took);
    true
}

/// The bytes that `isspace` of C calls white space.
pub const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// The value of one hexadecimal digit; of any other byte, what ModSecurity's `x2c` makes of it.
pub const fn digit(byte: u8) -> u8 {
    if byte >= b'A' { (byte & 0xdf).wrapping_sub(b'A').wrapping_add(10) } else { byte.wrapping_sub(b'0') }
}

/// The byte that two hexadecimal digits stand for.
pub const fn byte_of(high: u8, low: u8) -> u8 {
    digit(high).wrapping_mul(16).wrapping_add(digit(low))
}

/// The byte that two bytes stand for, if both are hexadecimal digits.
pub fn hex_pair(pair: &[u8]) -> Option<u8> {
    match pair {
        &[high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => Some(byte_of(high, low)),
        _ => None,
    }
}

/// The byte for a code point of four hexadecimal digits of which only the lower half counts: full-width forms
/// (U+FF01 to U+FF5E) are the ASCII they look like.
pub fn low_byte(digits: [u8; 4]) -> u8 {
    let [a, b, c, d] = digits;
    let low = byte_of(c, d);
    let full_width = a.eq_ignore_ascii_case(&b'f') && b.eq_ignore_ascii_case(&b'f');
    if full_width && (1..0x5f).contains(&low) { low + 0x20 } else { low }
}

/// The four hexadecimal digits that a text begins with.
pub fn four_digits(text: &[u8]) -> Option<[u8; 4]> {
    text.first_chunk::<4>().filter(|digits| digits.iter().all(u8::is_ascii_hexdigit)).copied()
}

/// What `\a`, `\b`, `\f`, `\n`, `\r`, `\t` and `\v` stand for, by the letter.
pub fn control(letter: u8) -> Option<u8> {
    Some(match letter {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        _ => return None,
    })
}

/// The lowest byte of the octal digits that a text begins with, and how many there are, `most` at most.
pub fn octal(text: &[u8], most: usize) -> Option<(u8, usize)> {
    let digits = text.iter().take(most).take_while(|b| matches!(b, b'0'..=b'7'));
    let (value, len) = digits.fold((0u8, 0), |(value, len), digit| (value << 3 | digit & 7, len + 1));
    (len > 0).then_some((value, len))
}
