//! Values of the payload corpora.

use std::fs;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/payloads")
}

/// All values, attacks and benign ones, in a fixed order; none where the corpora are not there.
pub fn values() -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    for (file, column) in [("httpparams.csv", 0), ("grananqvist.csv", 1)] {
        let Ok(text) = fs::read(folder().join(file)) else {
            eprintln!("skipped: no corpora");
            return Vec::new();
        };
        values.extend(table(&text).into_iter().skip(1).filter_map(|row| row.into_iter().nth(column)));
    }
    for file in ["modsec-learn-malicious.json", "modsec-learn-legitimate.json"] {
        let text = fs::read_to_string(folder().join(file)).unwrap_or_default();
        values.extend(text.lines().filter_map(|line| {
            let line = line.trim().trim_end_matches(',');
            Some(
                line.strip_prefix('"')?
                    .strip_suffix('"')?
                    .replace("\\\"", "\"")
                    .replace("\\\\", "\\")
                    .into_bytes(),
            )
        }));
    }
    values
}

/// The rows of a table of comma-separated values, quotes taken off.
fn table(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), Vec::new());
    let mut quoted = false;
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted && bytes.peek() == Some(&b'"') => {
                bytes.next();
                cell.push(b'"');
            }
            b'"' => quoted = !quoted,
            b',' if !quoted => row.push(std::mem::take(&mut cell)),
            b'\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            b'\r' if !quoted => {}
            byte => cell.push(byte),
        }
    }
    rows
}

/// The value in a disguise of many: letters in the other case, encodings, comments and NULs put in.
pub fn disguised(value: &[u8], number: usize) -> Vec<u8> {
    let each = |change: &dyn Fn(usize, u8) -> Vec<u8>| -> Vec<u8> {
        value.iter().enumerate().flat_map(|(at, byte)| change(at, *byte)).collect()
    };
    match number % 10 {
        0 => value.to_vec(),
        1 => each(&|at, byte| {
            vec![if at % 2 == 0 { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() }]
        }),
        2 => each(&|at, byte| if at % 3 == 0 { format!("%{byte:02x}").into_bytes() } else { vec![byte] }),
        3 => each(&|at, byte| if at % 4 == 1 { format!("&#{byte};").into_bytes() } else { vec![byte] }),
        4 => each(&|_, byte| if byte == b' ' { b"/**/".to_vec() } else { vec![byte] }),
        5 => each(&|at, byte| if at % 5 == 2 { vec![byte, 0] } else { vec![byte] }),
        6 => each(&|at, byte| if at % 4 == 2 { format!("\\x{byte:02x}").into_bytes() } else { vec![byte] }),
        7 => each(&|at, byte| if at % 6 == 3 { format!("%u00{byte:02x}").into_bytes() } else { vec![byte] }),
        8 => each(&|_, byte| if byte == b' ' { b" \t\n ".to_vec() } else { vec![byte] }),
        _ => each(&|at, byte| if at % 4 == 3 { vec![b'\\', byte] } else { vec![byte] }),
    }
}
