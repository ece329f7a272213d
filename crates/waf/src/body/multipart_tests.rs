use super::*;
use proptest::{collection::vec, prelude::*};

const TYPE: &[u8] = b"multipart/form-data; boundary=\"b1\"";
const BODY: &str = "--b1\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\nhello\r\nworld\r\n--b1\r\n\
    content-disposition: form-data; name=f; filename=\"a.png\"; filename*=UTF-8''b.png\r\nContent-Type: image/png\r\n\r\n\
    \x01\x02\r\n--b1\r\nContent-Disposition: form-data; name=\"e\"; filename=\"\"\r\n\r\n\r\n--b1--\r\n";

fn walked(content_type: &[u8], body: &[u8], complete: bool) -> Result<Vec<(String, String)>, BodyError> {
    let mut seen = Vec::new();
    walk_multipart(content_type, body, complete, 5, &mut |Piece { name, value, .. }| {
        seen.push((String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned()));
    })?;
    Ok(seen)
}

#[test]
fn fields_file_names_and_part_headers_are_given_and_files_are_not() {
    let expected = [
        ("q", "q"),
        ("q", "hello\r\nworld"),
        ("f", "f"),
        ("f.filename", "a.png"),
        ("f.filename", "UTF-8''b.png"),
        ("f.content-type", "image/png"),
        ("e", "e"),
        ("e.filename", ""),
        ("e", ""),
    ];
    assert_eq!(
        walked(TYPE, BODY.as_bytes(), true).unwrap(),
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn what_a_browser_does_not_write_is_refused() {
    let part = "Content-Disposition: form-data; name=\"q\"\r\n\r\nx\r\n";
    for body in [
        format!("preamble\r\n--b1\r\n{part}--b1--"),
        format!("--b1\n{part}--b1--"),
        format!("--b1\r\n{part}--b1"),
        format!("--b1\r\n{part}--b1--\r\nepilogue"),
        format!("--b1\r\n{part}--b1x\r\n"),
        "--b1\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b1--".into(),
        "--b1\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\nx\r\n--b1--".into(),
        "--b1\r\nContent-Disposition: form-data; name=a; filename=b; filename=c\r\n\r\nx\r\n--b1--".into(),
        "--b1\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--b1--".into(),
        "--b1\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\nx\r\n--b1--".into(),
        format!("--b1\r\nContent-Disposition: form-data; name=z\r\n{part}--b1--"),
        "--b1\r\n\r\nx\r\n--b1--".into(),
        "--b2\r\n".into(),
    ] {
        assert!(matches!(walked(TYPE, body.as_bytes(), true), Err(BodyError::Malformed { .. })), "{body:?}");
    }
}

#[test]
fn a_part_that_a_backend_would_decode_is_refused() {
    let part = |field: &str| {
        let body = format!("--b1\r\nContent-Disposition: form-data; name=q\r\n{field}\r\n\r\nx\r\n--b1--");
        walked(TYPE, body.as_bytes(), true)
    };
    for bad in [
        "Content-Transfer-Encoding: base64",
        "content-transfer-encoding: Quoted-Printable",
        "Content-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: x-uuencode",
        "Content-Transfer-Encoding:",
        "Content-Transfer-Encoding: binary; x",
        "Content-Type: text/plain; charset=utf-16",
        "Content-Type: text/plain; charset=utf-7",
        "Content-Type: text/plain, text/html",
    ] {
        assert!(matches!(part(bad), Err(BodyError::Malformed { .. })), "{bad:?}");
    }
    for good in [
        "Content-Transfer-Encoding: BINARY",
        "Content-Transfer-Encoding:7bit \r\nContent-Type: text/plain; charset=UTF-8",
        "Content-Transfer-Encoding: 8bit",
        "Content-Type: text/plain;charset=ISO-8859-1",
    ] {
        assert!(part(good).is_ok(), "{good:?}: {:?}", part(good));
    }
}

#[test]
fn what_only_some_backends_take_for_a_file_is_a_value_too() {
    for names in ["filename*=UTF-8''b", "filename=\"\"; filename*=UTF-8''b"] {
        let body = format!("--b1\r\nContent-Disposition: form-data; name=q; {names}\r\n\r\nseen\r\n--b1--");
        let seen = walked(TYPE, body.as_bytes(), true).unwrap();
        assert!(seen.contains(&("q".to_owned(), "seen".to_owned())), "{names}: {seen:?}");
    }
}

#[test]
fn a_long_name_is_not_multiplied_by_many_fields() {
    let body = |fields: usize| {
        let name = "n".repeat(8000);
        let fields = "a:\r\n".repeat(fields);
        format!("--b1\r\nContent-Disposition: form-data; name={name}\r\n{fields}\r\nx\r\n--b1--")
    };
    for (fields, bytes_max) in [(2000, 0), (PART_FIELDS_MAX, 8010 * (PART_FIELDS_MAX + 2))] {
        let mut bytes = 0;
        let sink = &mut |piece: Piece<'_>| bytes += piece.name.len();
        assert_eq!(walk_multipart(TYPE, body(fields).as_bytes(), true, 5, sink).is_err(), bytes_max == 0);
        assert!(bytes <= bytes_max, "{bytes} for {fields} fields");
    }
}

#[test]
fn a_boundary_must_be_one_and_well_formed() {
    let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
    for content_type in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=b1; boundary=b1",
        "multipart/form-data; boundary=\"b1 \"",
        "multipart/form-data; boundary=b@1",
        &long,
    ] {
        assert!(walked(content_type.as_bytes(), BODY.as_bytes(), true).is_err(), "{content_type}");
    }
}

#[test]
fn parts_are_counted() {
    let part = "--b1\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\nx\r\n";
    assert!(walked(TYPE, format!("{}--b1--", part.repeat(5)).as_bytes(), true).is_ok());
    assert_eq!(
        walked(TYPE, format!("{}--b1--", part.repeat(6)).as_bytes(), true),
        Err(BodyError::TooManyParts)
    );
}

proptest! {
    #[test]
    fn a_body_may_be_cut_anywhere(cut in 0usize..BODY.len()) {
        let body = &BODY.as_bytes()[..cut];
        prop_assert!(walked(TYPE, body, false).is_ok());
        prop_assert_eq!(walked(TYPE, body, true).is_ok(), cut == 0 || cut == BODY.len() - 2);
    }

    #[test]
    fn no_bytes_make_it_panic(pieces in vec(prop_oneof![
        vec(any::<u8>(), 0..6),
        prop::sample::select(vec!["--b1", "\r\n", "--", "Content-Disposition: form-data; name=\"a\"", "; filename=x", ":"])
            .prop_map(|s| s.as_bytes().to_vec()),
    ], 0..30), complete: bool) {
        let _ = walk_multipart(TYPE, &pieces.concat(), complete, 5, &mut |_| ());
    }

    #[test]
    fn no_content_type_makes_it_panic(content_type in vec(any::<u8>(), 0..60)) {
        let _ = walk_multipart(&content_type, BODY.as_bytes(), true, 5, &mut |_| ());
        let _ = super::super::BodyKind::of(&content_type);
        let _ = super::super::ambiguity(&content_type);
    }
}
