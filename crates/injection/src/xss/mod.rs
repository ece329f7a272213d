//! Cross-site scripting: a value is one if some place in a page would make it run code.

mod danger;
mod html;

#[cfg(test)]
mod tests;

use danger::Attribute;
use html::{Context, Html, Piece};

/// Whether the value is cross-site scripting.
///
/// The value is read as text, as the inside of a tag, and as what follows a single quote, a double quote or a backtick
/// (each only if such a mark is in it): libinjection's `libinjection_xss`.
pub fn is_xss(value: &[u8]) -> bool {
    let in_quotes = |mark| memchr::memchr(mark, value).is_some() && runs_code(value, Context::Quoted(mark));
    may_be_xss(value)
        && (runs_code(value, Context::Text)
            || runs_code(value, Context::Tag)
            || in_quotes(b'\'')
            || in_quotes(b'"')
            || in_quotes(b'`'))
}

/// Whether [`is_xss`] could say yes. Never a false no: only `<` begins a tag, and only `=` gives an attribute a value.
pub fn may_be_xss(value: &[u8]) -> bool {
    memchr::memchr2(b'<', b'=', value).is_some()
}

fn runs_code(value: &[u8], context: Context) -> bool {
    let mut html = Html::new(value, context);
    let mut attribute = Attribute::Harmless;
    while let Some(piece) = html.next() {
        let dangerous = match piece {
            Piece::Doctype => true,
            Piece::Tag(name) => danger::is_tag(name),
            Piece::Name(name) => {
                attribute = danger::attribute(name);
                false
            }
            // A value comes right after its attribute's name; that at the start of the input has none.
            Piece::Value(value) => match std::mem::replace(&mut attribute, Attribute::Harmless) {
                Attribute::Harmless => false,
                Attribute::Code => true,
                Attribute::Url => danger::is_url(value),
                Attribute::Name => danger::attribute(value) != Attribute::Harmless,
            },
            Piece::Comment(text) => danger::is_comment(text),
        };
        if dangerous {
            return true;
        }
    }
    false
}
