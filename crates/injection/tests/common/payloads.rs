//! Values to compare on: the payloads of the corpora.

use std::path::PathBuf;

/// All payloads of the corpora: (whether they are attacks, the value). Nothing if there are no corpora.
pub fn payloads() -> Option<Vec<(bool, Vec<u8>)>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/payloads");
    let mut values = Vec::new();
    let rows = |name| Some(csv(&std::fs::read(folder.join(name)).ok()?));
    for row in rows("httpparams.csv")?.into_iter().skip(1) {
        values.push((row[3] != b"norm", row[0].clone()));
    }
    for row in rows("grananqvist.csv")?.into_iter().skip(1) {
        values.push((row[3] != b"LEGAL", row[1].clone()));
    }
    for (name, attack) in [("modsec-learn-legitimate.json", false), ("modsec-learn-malicious.json", true)] {
        let text = std::fs::read(folder.join(name)).ok()?;
        for query in serde_json::from_slice::<Vec<String>>(&text).ok()? {
            for field in query.split('&') {
                values.push((attack, decoded(field.split_once('=').map_or(field, |(_, value)| value))));
            }
            values.push((attack, query.into_bytes()));
        }
    }
    Some(values)
}

/// Rows of RFC 4180: fields may be quoted, and then hold commas, line feeds and doubled quotes.
fn csv(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), Vec::new(), false);
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted && bytes.next_if_eq(&b'"').is_some() => field.push(b'"'),
            b'"' if quoted || field.is_empty() => quoted = !quoted,
            b',' if !quoted => row.push(std::mem::take(&mut field)),
            b'\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            b'\r' if !quoted => {}
            byte => field.push(byte),
        }
    }
    rows
}

fn decoded(text: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = &tail[2..];
                continue;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(*first),
        }
        rest = tail;
    }
    out
}
