//! JSON and XML bodies as values.

use super::variables::Variables;
use crate::Settings;
use crate::body::{self, BodyError, Piece, XmlKind};
use secbeat_seclang::Variable;

/// Gives each value of a JSON body as an argument: `json.user.name`.
pub fn json(
    text: &[u8],
    complete: bool,
    settings: &Settings,
    out: &mut impl Variables,
) -> Result<(), BodyError> {
    let (depth_max, values_max) = (settings.json_depth_max, settings.json_values_max);
    body::walk_json_arguments(text, complete, depth_max, values_max, &mut |Piece { name, value, .. }| {
        out.add(Variable::ArgsPost, name, value);
    })
}

/// Gives an XML body as libxml2 gives it to ModSecurity: `XML:/*`, all text of the document as one value, and `XML://@*`,
/// the value of each attribute that is no namespace.
pub fn xml(
    text: &[u8],
    complete: bool,
    settings: &Settings,
    out: &mut impl Variables,
) -> Result<(), BodyError> {
    let (depth_max, values_max) = (settings.json_depth_max, settings.json_values_max);
    let mut content = Vec::new();
    let walked = body::walk_xml_kinds(text, complete, depth_max, values_max, &mut |kind, piece| match kind {
        XmlKind::Text => content.extend_from_slice(piece.value),
        XmlKind::Attribute if !is_namespace(piece.name) => out.add(Variable::Xml, b"//@*", piece.value),
        XmlKind::Attribute | XmlKind::Name | XmlKind::Aside => {}
    });
    // Nothing at all is no document.
    if walked.is_ok() || !content.is_empty() {
        out.add(Variable::Xml, b"/*", &content);
    }
    walked
}

/// Whether the last step of a path names a declaration of a namespace.
fn is_namespace(path: &[u8]) -> bool {
    let name = path.get(memchr::memrchr(b'@', path).map_or(0, |at| at + 1)..).unwrap_or_default();
    name == b"xmlns" || name.starts_with(b"xmlns:")
}

#[cfg(test)]
mod tests {
    use super::super::variables::Listed;
    use super::*;

    #[test]
    fn json_is_flattened_as_modsecurity_3_names_it() {
        let mut out = Listed::default();
        let text = br#"{"a":{"b":"x\u0041"},"l":[1,{"c":null},[true]],"":"e","n":-1.5e3}"#;
        assert_eq!(json(text, true, &Settings::default(), &mut out), Ok(()));
        assert_eq!(
            out.of(Variable::ArgsPost),
            [
                "json.a.b=xA",
                "json.l.array_0=1",
                "json.l.array_1.c=",
                "json.l.array_2.array_0=true",
                "json.empty-key=e",
                "json.n=-1.5e3"
            ]
        );
        let mut out = Listed::default();
        assert_eq!(json(b"[\"a\",[2]]", true, &Settings::default(), &mut out), Ok(()));
        assert_eq!(out.of(Variable::ArgsPost), ["json.array_0=a", "json.array_1.array_0=2"]);
        let mut out = Listed::default();
        assert_eq!(json(b"\"alone\"", true, &Settings::default(), &mut out), Ok(()));
        assert_eq!(out.of(Variable::ArgsPost), ["json=alone"]);
    }

    #[test]
    fn what_a_broken_body_holds_is_given_all_the_same() {
        let mut out = Listed::default();
        assert!(json(b"{\"a\":\"evil\",", true, &Settings::default(), &mut out).is_err());
        assert_eq!(out.of(Variable::ArgsPost), ["json.a=evil"]);
        let mut out = Listed::default();
        assert!(xml(b"<a b='evil'>bad</c>", true, &Settings::default(), &mut out).is_err());
        assert_eq!(out.of(Variable::Xml), ["//@*=evil", "/*=bad"]);
    }

    #[test]
    fn xml_is_one_text_and_each_attribute() {
        let mut out = Listed::default();
        let text =
            b"<?xml version='1.0'?><r xmlns='urn:x' xmlns:y='urn:y' y:id='1&amp;2'>a \n<b c=\"3\">&lt;d</b> \
                     <!-- e --><![CDATA[<f>]]></r>";
        assert_eq!(xml(text, true, &Settings::default(), &mut out), Ok(()));
        assert_eq!(out.of(Variable::Xml), ["//@*=1&2", "//@*=3", "/*=a \n<d <f>"]);
    }
}
