//! Which ASCII Windows takes characters beyond it for: code page 20127, best fit.
//!
//! The data is that of `SecUnicodeMapFile unicode.mapping 20127`, which ModSecurity's recommended configuration sets. The
//! full-width forms are not in this table: [`low_byte`](crate::bytes::low_byte) reckons them.

use std::sync::LazyLock;

/// Each row: an ASCII character, then those that are taken for it.
const ROWS: &[&str] = &[
    " \u{a0}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}",
    "!¡",
    "\"ʺ\u{30e}“”„",
    "$¤",
    "'ʹʼˈ‘’′",
    ",¸‚",
    "-\u{ad}‐‑–—",
    ".·•…",
    "1¹",
    "2²",
    "3³",
    "<«‹",
    ">»›",
    "AÀÁÂÃÄÅÆĀĂĄǍǞ",
    "C©ÇĆĈĊČ",
    "DÐĎĐƉ",
    "EÈÉÊËĒĔĖĘĚ",
    "FƑ",
    "GĜĞĠĢǤǦ",
    "HĤĦ",
    "IÌÍÎÏĨĪĬĮİƗǏ",
    "JĴ",
    "KĶǨ",
    "LĹĻĽŁ",
    "NÑŃŅŇ",
    "OÒÓÔÕÖØŌŎŐŒƟƠǑǪǬ",
    "R®ŔŖŘ",
    "SŚŜŞŠ",
    "TŢŤŦƮ™",
    "UÙÚÛÜŨŪŬŮŰŲƯǓǕǗǙǛ",
    "WŴ",
    "Y¥ÝŶŸ",
    "ZŹŻŽ",
    "^˄ˆ\u{302}",
    "_ˍ\u{331}\u{332}",
    "`ˋ\u{300}‵",
    "aªàáâãäåæāăąǎǟ",
    "bƀ",
    "c¢çćĉċč",
    "dďđ",
    "eèéêëēĕėęě",
    "fƒ",
    "gĝğġģǥǧɡ",
    "hĥħ",
    "iìíîïĩīĭįıǐ",
    "jĵǰ",
    "kķǩ",
    "lĺļľłƚ",
    "nñńņň",
    "oºòóôõöøōŏőœơǒǫǭ",
    "rŕŗř",
    "sśŝşš",
    "tţťŧƫ",
    "uùúûüũūŭůűųưǔǖǘǚǜ",
    "wŵ",
    "yýÿŷ",
    "zżžƶ",
    "|¦",
    "~˜\u{303}",
];

/// Where the characters stand: U+0000 to U+03FF and U+2000 to U+21FF.
const LOW: usize = 0x400;
const HIGH: std::ops::Range<u16> = 0x2000..0x2200;

/// The ASCII for each of these code points; 0: none.
static TABLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut table = vec![0; LOW + HIGH.len()];
    for row in ROWS {
        let mut characters = row.chars().filter_map(|c| u16::try_from(u32::from(c)).ok());
        let Some(ascii) = characters.next().and_then(|code| u8::try_from(code).ok()) else { continue };
        for place in characters.filter_map(place) {
            if let Some(entry) = table.get_mut(place) {
                *entry = ascii;
            }
        }
    }
    table
});

fn place(code: u16) -> Option<usize> {
    match usize::from(code) {
        low if low < LOW => Some(low),
        _ if HIGH.contains(&code) => Some(LOW + usize::from(code - HIGH.start)),
        _ => None,
    }
}

/// The ASCII that the code page has for a character beyond it.
pub fn best_fit(code: u16) -> Option<u8> {
    TABLE.get(place(code)?).copied().filter(|&ascii| ascii != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_the_table_is_found_and_no_other() {
        let listed: Vec<char> = ROWS.iter().flat_map(|row| row.chars().skip(1)).collect();
        let found = (0..=u16::MAX).filter(|&code| best_fit(code).is_some()).count();
        assert_eq!(found, listed.len());
        assert_eq!(best_fit(0x2039), Some(b'<'));
        assert_eq!(best_fit(0x00a0), Some(b' '));
        assert_eq!(best_fit(0x4141), None);
    }
}
