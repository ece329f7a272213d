//! The templates in data of cases: `{{ "x" | repeat 100 }}`, of all that Go's templates can the one thing that cases use.

/// The longest text that a template may come to, in bytes.
const BYTES_MAX: usize = 1 << 20;

/// `text` with its templates carried out; what is no template that we know stays as it is.
pub fn expand(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once("{{") {
        let repeated = from.split_once("}}").and_then(|(inside, after)| Some((repeat(inside)?, after)));
        out.push_str(before);
        match repeated {
            Some((repeated, after)) => {
                out.push_str(&repeated);
                rest = after;
            }
            None => {
                out.push_str("{{");
                rest = from;
            }
        }
    }
    out.push_str(rest);
    out
}

/// `"x" | repeat 3` → `xxx`.
fn repeat(inside: &str) -> Option<String> {
    let (text, count) = inside.split_once('|')?;
    let text = text.trim().strip_prefix('"')?.strip_suffix('"')?;
    let count: usize = count.trim().strip_prefix("repeat")?.trim().parse().ok()?;
    (text.len().checked_mul(count)? <= BYTES_MAX).then(|| text.repeat(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_repeated_and_what_is_no_template_stays() {
        assert_eq!(expand(r#"a={{ "1" | repeat 3 }}&b"#), "a=111&b");
        assert_eq!(expand("{{constructor('x')}}"), "{{constructor('x')}}");
        assert_eq!(expand("a {{ b"), "a {{ b");
        assert_eq!(expand(r#"{{ "1" | repeat 99999999 }}"#), r#"{{ "1" | repeat 99999999 }}"#);
    }
}
