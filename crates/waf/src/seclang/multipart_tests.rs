//! Each flag is raised by what it is for, and by nothing that a browser sends.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::super::variables::Listed;
use super::*;
use proptest::prelude::*;

const TYPE: &[u8] = b"multipart/form-data; boundary=b";

fn read_as(content_type: &[u8], body: &str) -> (Listed, Result<(), &'static str>) {
    let mut out = Listed::default();
    let read = multipart(content_type, body.as_bytes(), true, 10, &mut out);
    (out, read)
}

fn read(body: &str) -> (Listed, Result<(), &'static str>) {
    read_as(TYPE, body)
}

/// The flags that are raised, but for `MULTIPART_STRICT_ERROR`.
fn raised(out: &Listed) -> Vec<Variable> {
    let is_flag = |variable: &Variable| format!("{variable:?}").starts_with("Multipart");
    let collections = [
        Variable::MultipartStrictError,
        Variable::MultipartName,
        Variable::MultipartFilename,
        Variable::MultipartPartHeaders,
    ];
    let flags = out.0.iter().filter(|(variable, ..)| is_flag(variable) && !collections.contains(variable));
    flags.filter(|(.., value)| value != "0").map(|(variable, ..)| *variable).collect()
}

const PLAIN: &str = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\ny\r\n--b\r\n\
    Content-Disposition: form-data; name=\"f\"; filename=\"c.txt\"\r\nContent-Type: text/plain\r\n\r\n12345\r\n--b--\r\n";

#[test]
fn what_a_browser_sends_raises_no_flag() {
    let (out, read) = read(PLAIN);
    assert_eq!(read, Ok(()));
    assert_eq!(raised(&out), []);
    assert_eq!(out.of(Variable::MultipartStrictError), ["0"]);
    assert_eq!(out.of(Variable::ArgsPost), ["a=x\r\ny"]);
    assert_eq!(out.of(Variable::Files), ["f=c.txt"]);
    assert_eq!(out.of(Variable::FilesNames), ["f=f"]);
    assert_eq!(out.of(Variable::FilesSizes), ["f=5"]);
    assert_eq!(
        out.of(Variable::MultipartPartHeaders),
        [
            "a=Content-Disposition: form-data; name=\"a\"",
            "f=Content-Disposition: form-data; name=\"f\"; filename=\"c.txt\"",
            "f=Content-Type: text/plain"
        ]
    );
}

#[test]
fn each_flag_has_its_cause() {
    let part = |head: &str, content: &str| format!("--b\r\n{head}\r\n\r\n{content}\r\n--b--\r\n");
    let named = "Content-Disposition: form-data; name=a";
    for (body, flags) in [
        (format!("preamble\r\n{PLAIN}"), vec![Variable::MultipartDataBefore]),
        (format!("{PLAIN}epilogue"), vec![Variable::MultipartDataAfter]),
        (part("Content-Disposition: form-data;\r\n name=a", "x"), vec![Variable::MultipartHeaderFolding]),
        (
            part("Content-Disposition: form-data;\r\n\u{b}name=a", "x"),
            vec![Variable::MultipartHeaderFolding, Variable::MultipartInvalidHeaderFolding],
        ),
        (part("Content-Disposition: form-data; name='a'", "x"), vec![Variable::MultipartInvalidQuoting]),
        (PLAIN.replacen("\r\n", "\n", 2), vec![Variable::MultipartLfLine, Variable::MultipartCrlfLfLines]),
        (part(named, "x\r\n--c"), vec![Variable::MultipartUnmatchedBoundary]),
        (part(named, "x --b"), vec![Variable::MultipartUnmatchedBoundary]),
        (format!("--b\r\n{named}\r\n\r\n--b--\r\n\r\n--b--\r\n"), vec![Variable::MultipartInvalidPart]),
    ] {
        let (out, read) = read(&body);
        assert_eq!(read, Ok(()), "{body:?}");
        assert_eq!(raised(&out), flags, "{body:?}");
        let strict = if flags == [Variable::MultipartUnmatchedBoundary] { "0" } else { "1" };
        assert_eq!(out.of(Variable::MultipartStrictError), [strict], "{body:?}");
    }
}

#[test]
fn a_boundary_that_was_left_open_is_told_from_one_that_was_closed() {
    let body = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--c\r\n";
    let (out, read) = read(body);
    assert_eq!(read, Err("the last boundary"));
    assert_eq!(out.of(Variable::MultipartUnmatchedBoundary), ["1"]);
    let (out, _) = super::tests::read(&format!("{body}--b--\r\n"));
    assert_eq!(out.of(Variable::MultipartUnmatchedBoundary), ["2"]);
}

#[test]
fn what_is_not_what_its_type_says_is_told() {
    for body in [
        "x",
        "--b\r\n",
        "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx",
        "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--bc\r\n--b--\r\n",
        "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n",
        "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        "--b\r\nContent-Disposition form-data; name=a\r\n\r\nx\r\n--b--\r\n",
        "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=c\r\n\r\nx\r\n--b--\r\n",
        "--b\r\nContent-Disposition: form-data; name=a\0\r\n\r\nx\r\n--b--\r\n",
    ] {
        assert!(read(body).1.is_err(), "{body:?}");
    }
}

#[test]
fn a_line_that_is_no_header_field_is_given_to_rules_all_the_same() {
    let (out, read) =
        read("--b\r\nContent-Disposition: form-data; name=a\r\nX\u{e9}: y\r\n\r\nx\r\n--b--\r\n");
    assert!(read.is_err());
    assert_eq!(out.of(Variable::MultipartPartHeaders)[1], "a=X\u{e9}: y");
    assert_eq!(out.of(Variable::ArgsPost), ["a=x"]);
}

#[test]
fn the_last_boundary_needs_no_line_end() {
    let (out, read) = read(PLAIN.trim_end());
    assert_eq!((read, raised(&out)), (Ok(()), vec![]));
}

#[test]
fn a_cut_body_gives_what_is_there() {
    let mut out = Listed::default();
    let cut = &PLAIN[..PLAIN.find("y\r\n").unwrap()];
    assert_eq!(multipart(TYPE, cut.as_bytes(), false, 10, &mut out), Ok(()));
    assert_eq!(out.of(Variable::ArgsPost), ["a=x"]);
}

#[test]
fn more_parts_than_the_limit_are_an_error() {
    let part = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n";
    let (out, read) = read(&format!("{}--b--\r\n", part.repeat(11)));
    assert_eq!(read, Err("fewer parts"));
    assert_eq!(out.of(Variable::ArgsPost).len(), 10);
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_their_end(lines in proptest::collection::vec(
        prop_oneof![
            Just("--b\r\n".to_owned()), Just("--b--\r\n".into()), Just("\r\n".into()), Just("--b".into()),
            Just("Content-Disposition: form-data; name=a\r\n".into()), Just(" folded\n".into()), ".*"
        ], 0..12), complete: bool) {
        let mut out = Listed::default();
        let _ = multipart(TYPE, lines.concat().as_bytes(), complete, 10, &mut out);
        prop_assert_eq!(out.of(Variable::MultipartStrictError).len(), 1);
    }
}
