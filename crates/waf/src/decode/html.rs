//! Character references of HTML (HTML Living Standard 13.5).

use super::{changed, hex, push_code_point};

/// The named references that stand for ASCII, and the space that looks like one. The first five also count without `;`.
const NAMED: &[(&[u8], u8)] = &[
    (b"lt", b'<'),
    (b"gt", b'>'),
    (b"quot", b'"'),
    (b"amp", b'&'),
    (b"nbsp", b' '),
    (b"LT", b'<'),
    (b"GT", b'>'),
    (b"QUOT", b'"'),
    (b"AMP", b'&'),
    (b"apos", b'\''),
    (b"Tab", b'\t'),
    (b"NewLine", b'\n'),
    (b"excl", b'!'),
    (b"num", b'#'),
    (b"dollar", b'$'),
    (b"percnt", b'%'),
    (b"lpar", b'('),
    (b"rpar", b')'),
    (b"ast", b'*'),
    (b"plus", b'+'),
    (b"comma", b','),
    (b"period", b'.'),
    (b"sol", b'/'),
    (b"colon", b':'),
    (b"semi", b';'),
    (b"equals", b'='),
    (b"quest", b'?'),
    (b"commat", b'@'),
    (b"lbrack", b'['),
    (b"lsqb", b'['),
    (b"bsol", b'\\'),
    (b"rbrack", b']'),
    (b"rsqb", b']'),
    (b"lowbar", b'_'),
    (b"grave", b'`'),
    (b"lbrace", b'{'),
    (b"lcub", b'{'),
    (b"rbrace", b'}'),
    (b"rcub", b'}'),
    (b"verbar", b'|'),
    (b"vert", b'|'),
];

/// How many of [`NAMED`] also count without `;`.
const WITHOUT_SEMICOLON: usize = 5;

/// Decodes numeric references, with or without `;`, and the named ones of ASCII.
pub fn decode_html_entities(input: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'&', input)?;
    let mut out = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'&' => {
                rest = numeric(tail, &mut out).or_else(|| named(tail, &mut out)).unwrap_or_else(|| {
                    out.push(b'&');
                    tail
                })
            }
            _ => out.push(byte),
        }
    }
    changed(out, input)
}

/// `#60;` or `#x3c;`, the `&` read: appends the character and returns what follows. Leading zeros are free.
fn numeric<'i>(tail: &'i [u8], out: &mut Vec<u8>) -> Option<&'i [u8]> {
    let number = tail.strip_prefix(b"#")?;
    let (digits, radix) = match number {
        [b'x' | b'X', digits @ ..] => (digits, 16),
        digits => (digits, 10),
    };
    let len = digits.iter().take_while(|&&b| char::from(b).is_digit(radix)).count();
    let (digits, after) = digits.split_at_checked(len).filter(|_| len > 0)?;
    let significant =
        digits.iter().position(|&b| b != b'0').and_then(|at| digits.get(at..)).unwrap_or_default();
    let code = match (significant, radix) {
        ([], _) => Some(0),
        (hexadecimal, 16) => hex(hexadecimal),
        (decimal, _) => std::str::from_utf8(decimal).ok().and_then(|text| text.parse().ok()),
    };
    push_code_point(out, code.unwrap_or(u32::from(char::REPLACEMENT_CHARACTER)));
    Some(after.strip_prefix(b";").unwrap_or(after))
}

/// `lt;` and the like, the `&` read.
fn named<'i>(tail: &'i [u8], out: &mut Vec<u8>) -> Option<&'i [u8]> {
    NAMED.iter().enumerate().find_map(|(index, (name, byte))| {
        let after = tail.strip_prefix(*name)?;
        let end = after.strip_prefix(b";").or((index < WITHOUT_SEMICOLON).then_some(after))?;
        out.push(*byte);
        Some(end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_decoded_and_the_rest_stays() {
        let decoded =
            |text: &str| decode_html_entities(text.as_bytes()).map(|out| String::from_utf8(out).unwrap());
        assert_eq!(decoded("&lt;script&gt;"), Some("<script>".into()));
        assert_eq!(decoded("&#60;&#x3C;&#0000060&#x003cs"), Some("<<<<s".into()));
        assert_eq!(decoded("javascript&colon;alert&lpar;1)"), Some("javascript:alert(1)".into()));
        assert_eq!(decoded("java&Tab;script"), Some("java\tscript".into()));
        assert_eq!(decoded("&amp;lt;"), Some("&lt;".into()));
        assert_eq!(decoded("Tom & Jerry"), None);
        assert_eq!(decoded("a=1&b=2&colon"), None);
        assert_eq!(decoded("&#;&#x;"), None);
    }
}
