//! The pieces of an XML body.

use super::{BodyError, Sink, xml};

/// Gives every text and every attribute's value, references undone, and every comment and processing instruction, under
/// the path of its element: `/soap:Envelope/soap:Body/id`, `/a/b/@href`, `/a/comment()`, `/a/processing-instruction()`;
/// and the names of elements and attributes. Text is one value from tag to tag, whatever comments and CDATA sections
/// stand in it, as backends join it; text of white space alone is none. At most `depth_max` levels and `values_max` names
/// and values. A `<!DOCTYPE` is refused: what it defines would be read by the backend alone. Where `complete` is false the
/// body was cut: what is there is given, and an early end is no error. A byte order mark is skipped, and an empty body is
/// fine.
pub fn walk_xml(
    body: &[u8],
    complete: bool,
    depth_max: usize,
    values_max: usize,
    sink: &mut Sink<'_>,
) -> Result<(), BodyError> {
    xml::walk(body, complete, depth_max, values_max, &mut |kind, piece| {
        let is_blank = kind == Kind::Text && piece.value.trim_ascii().is_empty();
        if !is_blank {
            sink(piece);
        }
    })
}

/// What a piece of XML is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The name of an element or of an attribute.
    Name,
    /// Text between two tags.
    Text,
    /// The value of an attribute; the last step of its path is `@` and its name.
    Attribute,
    /// A comment or a processing instruction.
    Aside,
}
