//! Command lines, as `cmdLine` knows them.

/// Takes away what shells skip inside a word (`\`, `"`, `'`, `^`), makes each run of spaces, commas, semicolons and line
/// breaks one space and none before `/` and `(`, and letters small.
pub fn normalize(input: &[u8], out: &mut Vec<u8>) -> bool {
    out.reserve(input.len());
    // Whether a space is owed: it is written once something but `/` and `(` follows.
    let mut space = false;
    for &byte in input {
        match byte {
            b'"' | b'\'' | b'\\' | b'^' => {}
            b' ' | b',' | b';' | b'\t' | b'\r' | b'\n' => space = true,
            _ => {
                if space && !matches!(byte, b'/' | b'(') {
                    out.push(b' ');
                }
                space = false;
                out.push(byte.to_ascii_lowercase());
            }
        }
    }
    if space {
        out.push(b' ');
    }
    true
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
