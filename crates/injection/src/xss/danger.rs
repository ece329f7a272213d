//! What makes a browser run code: names of tags and attributes, schemes, comments. libinjection's lists.

/// What an attribute does with its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attribute {
    /// Nothing that runs code.
    Harmless,
    /// Runs it, or could: event handlers, styles, name spaces.
    Code,
    /// Goes to it.
    Url,
    /// Takes it for the name of an attribute.
    Name,
}

/// What an attribute of this name does.
pub fn attribute(name: &[u8]) -> Attribute {
    let starts =
        |word: &str| name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()));
    if name.len() < 2 {
        return Attribute::Harmless;
    }
    // Any event, known or not: browsers invent them faster than lists are written.
    if name.len() >= 5 && (starts("on") || starts("xmlns") || starts("xlink")) {
        return Attribute::Code;
    }
    match upper_without_nuls(name, &mut [0; NAME_MAX]) {
        b"DATAFORMATAS" | b"DATASRC" | b"FILTER" | b"STYLE" => Attribute::Code,
        b"ACTION" | b"BY" | b"BACKGROUND" | b"DYNSRC" | b"FORMACTION" | b"FOLDER" | b"FROM" | b"HANDLER"
        | b"HREF" | b"LOWSRC" | b"POSTER" | b"SRC" | b"TO" | b"VALUES" | b"XLINK:HREF" => Attribute::Url,
        b"ATTRIBUTENAME" => Attribute::Name,
        _ => Attribute::Harmless,
    }
}

/// Whether a tag of this name runs or loads code.
pub fn is_tag(name: &[u8]) -> bool {
    if let Some(start) = name.get(..3)
        && (start.eq_ignore_ascii_case(b"svg") || start.eq_ignore_ascii_case(b"xsl"))
    {
        return true;
    }
    name.len() >= 3
        && matches!(
            upper_without_nuls(name, &mut [0; NAME_MAX]),
            b"APPLET"
                | b"BASE"
                | b"COMMENT"
                | b"EMBED"
                | b"FRAME"
                | b"FRAMESET"
                | b"HANDLER"
                | b"IFRAME"
                | b"IMPORT"
                | b"ISINDEX"
                | b"LINK"
                | b"LISTENER"
                | b"META"
                | b"NOSCRIPT"
                | b"OBJECT"
                | b"SCRIPT"
                | b"STYLE"
                | b"VMLFRAME"
                | b"XML"
                | b"XSS"
        )
}

/// Whether Internet Explorer would take part of the comment for a page: it ends tags with backticks, and has
/// conditional comments, imports and entities.
pub fn is_comment(text: &[u8]) -> bool {
    let starts = |len: usize, words: [&str; 2]| {
        let start = text.get(..len).filter(|_| text.len() > 3);
        start.is_some_and(|start| words.iter().any(|word| start.eq_ignore_ascii_case(word.as_bytes())))
    };
    memchr::memchr(b'`', text).is_some() || starts(3, ["[if", "xml"]) || starts(6, ["import", "entity"])
}

/// Whether the value is a URL that carries code: `data:`, `javascript:`, `vbscript:`, `view-source:`.
pub fn is_url(value: &[u8]) -> bool {
    let start = value.iter().position(|byte| matches!(byte, 33..=126)).unwrap_or(value.len());
    let url = value.get(start..).unwrap_or_default();
    ["DATA", "VIEW-SOURCE", "JAVA", "VBSCRIPT"].iter().any(|scheme| starts_with(url, scheme.as_bytes()))
}

/// Whether the text starts with the word, in whatever case and however its characters are written. White space before
/// it, and NUL and line feeds within, are ignored as browsers ignore them.
fn starts_with(mut text: &[u8], word: &[u8]) -> bool {
    let mut wanted = word.iter();
    let mut next = wanted.next();
    let mut begun = false;
    while let (Some(&letter), false) = (next, text.is_empty()) {
        let (character, len) = character(text);
        text = text.get(len..).unwrap_or_default();
        if (!begun && character <= 32) || character == 0 || character == 10 {
            continue;
        }
        begun = true;
        // What is beyond a byte loses its upper bits, as in C. That finds more, and no browser minds.
        let upper = if (0x61..=0x7a).contains(&character) { character - 0x20 } else { character };
        if upper as u8 != letter {
            return false;
        }
        next = wanted.next();
    }
    next.is_none()
}

/// The largest number a character reference may have.
const CHARACTER_MAX: u32 = 0x10_00ff;

/// The first character of a text that is not empty, and the length of what writes it. `&#106;` and `&#x6a;` are read,
/// names are not.
fn character(text: &[u8]) -> (u32, usize) {
    let (radix, digits) = match text {
        [b'&', b'#', b'x' | b'X', ..] => (16, 3),
        [b'&', b'#', ..] => (10, 2),
        _ => return (text.first().map_or(0, |&byte| u32::from(byte)), 1),
    };
    let mut number = 0;
    let mut len = digits;
    while let Some(&byte) = text.get(len) {
        match char::from(byte).to_digit(radix) {
            Some(digit) => number = number * radix + digit,
            None if byte == b';' && len > digits => return (number, len + 1),
            None => break,
        }
        if number > CHARACTER_MAX {
            return (u32::from(b'&'), 1);
        }
        len += 1;
    }
    if len == digits { (u32::from(b'&'), 1) } else { (number, len) }
}

/// Longer names are not looked for.
const NAME_MAX: usize = 16;

/// The name in upper case without NULs, which browsers ignore; empty if it is longer than any name looked for.
fn upper_without_nuls<'a>(name: &[u8], buffer: &'a mut [u8; NAME_MAX]) -> &'a [u8] {
    let mut len = 0;
    for byte in name.iter().filter(|byte| **byte != 0) {
        match buffer.get_mut(len) {
            Some(place) => *place = byte.to_ascii_uppercase(),
            None => return b"",
        }
        len += 1;
    }
    buffer.get(..len).unwrap_or_default()
}
