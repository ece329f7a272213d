//! What attackers and others have sent as values: the corpora of payloads, where they lie beside the project.

use std::fs;
use std::path::Path;

use crate::Outcome;

/// The folder, from the repository's root.
pub const FOLDER: &str = "../shared/corpora/payloads";
/// Of a longer payload only the beginning is sent: heads of requests have their limits.
const LONGEST: usize = 2048;

/// Every `every`th payload of every file of the folder; `None` where there is no such folder.
pub fn read(every: usize) -> Outcome<Option<Vec<Vec<u8>>>> {
    let Ok(entries) = fs::read_dir(FOLDER) else { return Ok(None) };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let payloads = file_of(&file).map_err(|e| format!("reading {}: {e}", file.display()))?;
        all.extend(payloads.into_iter().step_by(every));
    }
    for payload in &mut all {
        payload.truncate(LONGEST);
    }
    Ok(Some(all))
}

fn file_of(file: &Path) -> Outcome<Vec<Vec<u8>>> {
    let text = fs::read(file).map_err(|e| e.to_string())?;
    match file.extension().and_then(|end| end.to_str()) {
        Some("json") => {
            let strings: Vec<String> = serde_json::from_slice(&text).map_err(|e| e.to_string())?;
            Ok(strings.into_iter().map(String::into_bytes).collect())
        }
        Some("csv") => {
            let mut rows = rows(&text).into_iter();
            let head = rows.next().unwrap_or_default();
            let column = head.iter().position(|name| name == b"payload").ok_or("no column `payload`")?;
            Ok(rows.filter_map(|mut row| (column < row.len()).then(|| row.swap_remove(column))).collect())
        }
        _ => Ok(Vec::new()),
    }
}

/// The rows of a text of comma-separated values (RFC 4180).
fn rows(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), Vec::new());
    let mut quoted = false;
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (quoted, byte) {
            (true, b'"') if bytes.peek() == Some(&b'"') => field.extend(bytes.next()),
            (_, b'"') => quoted = !quoted,
            (false, b',') => row.push(std::mem::take(&mut field)),
            (false, b'\n') => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            (false, b'\r') => (),
            _ => field.push(byte),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields_hold_commas_quotes_and_ends_of_lines() {
        let found = rows(b"a,payload\r\n1,\"x, \"\"y\"\"\nz\"\n2,");
        let expected: Vec<Vec<&[u8]>> =
            vec![vec![b"a", b"payload"], vec![b"1", b"x, \"y\"\nz"], vec![b"2", b""]];
        assert_eq!(found, expected);
    }
}
