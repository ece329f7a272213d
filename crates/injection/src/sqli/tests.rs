//! Tokens, fingerprints and verdicts, by hand.

use super::fold::Folded;
use super::token::Quote;
use super::tokenizer::{Dialect, Tokenizer};
use super::{is_sqli, may_be_sqli, work};

/// The kinds of all tokens before folding, a letter each, as they are in one dialect.
fn kinds(value: &str, dialect: Dialect) -> String {
    let mut tokenizer = Tokenizer::new(value.as_bytes(), Quote::None, dialect);
    std::iter::from_fn(|| tokenizer.next()).map(|token| token.kind as u8 as char).collect()
}

fn folded(value: &str) -> String {
    Folded::new(value.as_bytes(), Quote::None, Dialect::Ansi).fingerprint().to_string()
}

fn found(value: &str) -> Option<String> {
    is_sqli(value.as_bytes()).map(|fingerprint| fingerprint.to_string())
}

#[test]
fn known_attacks_have_their_fingerprints() {
    for (value, fingerprint) in [
        ("1' or '1'='1", "s&sos"),
        ("\" or \"a\"=\"a", "s&sos"),
        ("1 or 1=1 --", "1&1c"),
        ("-1 union all select 1,2,3", "1UE1"),
        ("1/**/union/**/select/**/1", "1UE1"),
        ("1 union(select 1)", "1U(E1"),
        ("1; drop table users", "1;Tnn"),
        ("1;if(1=1) waitfor delay '0:0:5'", "1;T(1"),
        ("'; exec xp_cmdshell('dir')", "s;Tn("),
        ("1 and sleep(5)", "1&f(1"),
        ("x' and 1=convert(int,@@version)--", "s&1of"),
        ("1 into outfile 'x'", "1ks"),
        ("admin'--", "sc"),
        ("1--", "1c"),
        ("a /*", "nc"),
    ] {
        assert_eq!(found(value).as_deref(), Some(fingerprint), "{value}");
    }
}

#[test]
fn plain_text_is_no_attack_even_with_words_of_sql_in_it() {
    for value in [
        "",
        "1 union",
        "sexy and 17",
        "rock and roll",
        "O'Reilly",
        "it's -- not",
        "1#",
        "1 # x",
        "a--",
        "user(1)",
    ] {
        assert_eq!(found(value), None, "{value}");
    }
    assert_eq!(found("sexy and 17<18").as_deref(), Some("n&1"));
}

#[test]
fn what_databases_read_differently_is_evil() {
    for value in ["1 /*! union */ select", "1 /* a /* b */ c */", "1/*/*/", "{`` a"] {
        assert_eq!(found(value).as_deref(), Some("X"), "{value}");
    }
}

#[test]
fn tokens_are_cut_as_databases_cut_them() {
    for (value, letters) in [
        ("12 1.5 .5 1e3 1e-3 1.5f 0x1f 0b01 b'01' x'1f' \\N $1,000.00", "111111111111"),
        ("1e 0x $ [a b] `a b`", "nnnnn"),
        (". \\ ? ] : ::", ".\\??:o"),
        ("1fUNION 1FROM", "1U1k"),
        ("SELECT.1 SELECT`a` sys.fn_my_permissions a.b", "E1Enfn"),
        ("'a''b' \"a\\\"b\" e'a' n'a' u&'a' q'[a]' nq'(a)' $$a$$ $t$a$t$", "sssssssss"),
        ("@a @@a @`a` @'a' @", "vvvvv"),
        ("<=> != && || :=", "oo&&o"),
        ("/* a */ -- b\n+", "cco"),
    ] {
        assert_eq!(kinds(value, Dialect::Ansi), letters, "{value}");
    }
}

#[test]
fn dialects_differ_in_what_begins_a_comment() {
    assert_eq!((kinds("1#2", Dialect::Ansi), kinds("1#2", Dialect::MySql)), ("1o1".into(), "1c".into()));
    assert_eq!((kinds("1--2", Dialect::Ansi), kinds("1--2", Dialect::MySql)), ("1c".into(), "1oo1".into()));
    assert_eq!((kinds("1-- 2", Dialect::Ansi), kinds("1-- 2", Dialect::MySql)), ("1c".into(), "1c".into()));
}

#[test]
fn expressions_are_folded_to_what_they_are_like() {
    for (value, letters) in [
        ("1+2*3-4", "1"),
        ("(((- 1", "1"),
        ("1,2,3", "1"),
        ("'a' 'b'", "s"),
        ("a.b.c", "n"),
        ("1;;;2", "1;1"),
        ("{foo 1}", "1"),
        ("1+(2)", "1"),
    ] {
        assert_eq!(folded(value), letters, "{value}");
    }
}

/// Every one of these would be quadratic, were anything read again from each token on.
#[test]
fn work_is_linear_in_the_length_of_the_value() {
    const LEN: usize = 1 << 20;
    for piece in [
        "a",
        "1",
        " ",
        "'",
        "\"",
        "`",
        "\\",
        "\\'",
        "''",
        "(",
        "((1)",
        "1+",
        "1,",
        ";;",
        "--\n",
        "#\n",
        "/*",
        "/**/",
        "*/",
        "/*a",
        "and.1",
        "1 and.1",
        "select.",
        "select`",
        "a.",
        "$a",
        "$a$",
        "$",
        "$1",
        "@",
        "@@`",
        "[",
        "[a]",
        "{a",
        "}",
        "q'(",
        "nq'[",
        "b'0",
        "x'0",
        "u&'",
        "e'",
        "n'\\",
        "0x",
        "1e",
        "1.",
        "or ",
        "not ",
        "union all ",
        "::int ",
        "\\%",
        "binary ",
        "\0",
        "\u{a0}",
        "' or '",
        "\" or \"",
        "' #",
        "-",
    ] {
        let value = piece.repeat(LEN / piece.len());
        let steps = work::of(|| is_sqli(value.as_bytes()));
        // Five passes, each byte looked at by four parsers at most.
        assert!(steps <= 20 * LEN, "{piece:?}: {steps}");
    }
}

#[test]
fn words_without_a_meaning_and_numbers_do_not_pass_the_gate() {
    for value in
        ["", "   ", "shirting", "42", "a quick brown fox jumps twice over 3 lazy dogs and cats", "foo_bar 17"]
    {
        assert!(!may_be_sqli(value.as_bytes()), "{value}");
    }
    for value in ["a'", "1-1", "select", "current degree", "1a", "a b c d e f g'", "x=1"] {
        assert!(may_be_sqli(value.as_bytes()), "{value}");
    }
}
