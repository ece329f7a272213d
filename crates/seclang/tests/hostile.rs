//! Texts that mean harm, or nothing at all: an answer in bounded time and memory, never a panic.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use secbeat_seclang::{Entry, Error, Item, RuleSet, Sources, load, load_text};
use std::io;
use std::path::{Path, PathBuf};

fn errors(result: Result<RuleSet, Vec<Error>>) -> Vec<String> {
    result.map(|_| ()).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn ten_thousand_alternatives_are_one_rule() {
    let words: Vec<_> = (0..10_000).map(|n| format!("w{n}")).collect();
    let set = load_text(&format!(
        "SecRule ARGS \"@rx {}\" id:1\nSecRule ARGS \"@pm {}\" id:2",
        words.join("|"),
        words.join(" ")
    ));
    assert_eq!(set.unwrap().items.len(), 2);
}

#[test]
fn a_chain_without_an_end_is_refused() {
    let text = format!("SecRule ARGS a id:1,chain\n{}", "SecRule ARGS a chain\n".repeat(10_000));
    let told = errors(load_text(&text));
    assert!(told[0].contains("more than 256 rules in a chain"), "{}", told[0]);
    assert_eq!(told.len(), 51);
}

#[test]
fn fifty_megabytes_in_one_line_are_refused() {
    let told = errors(load_text(&"a".repeat(50 << 20)));
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("text:1: a directive of more than"), "{}", told[0]);
    let told = errors(load_text(&"a\\\n".repeat(10 << 20)));
    assert!(told[0].starts_with("text:1: a directive of more than"), "{}", told[0]);
}

/// Whatever is asked for is there, and asks for more.
struct Endless(usize);

impl Sources for Endless {
    fn read(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        match self.0 {
            0 => Ok(format!("Include {}x\nInclude {0}y\n", path.file_name().unwrap().display()).into_bytes()),
            size => Ok(vec![b'\n'; size.min(limit + 1)]),
        }
    }

    fn glob(&self, pattern: &Path) -> io::Result<Vec<PathBuf>> {
        Ok((0..100).map(|n| pattern.with_file_name(format!("{n}.conf"))).collect())
    }
}

#[test]
fn files_without_end_are_bounded_in_depth_number_and_size() {
    let told = errors(load(&Endless(0), &[Entry::File("a".into())]));
    assert!(told[0].ends_with("files include files more than 16 deep"), "{}", told[0]);
    assert!(told.last().unwrap().contains("more; mend these first"));
    let told = errors(load(&Endless(usize::MAX), &[Entry::File("a".into())]));
    assert_eq!(told, ["a: a has more than 16 MiB; split it"]);
    let include = Entry::Text { name: "a".into(), text: "Include *.conf".into() };
    let told = errors(load(&Endless(1 << 20), &[include]));
    assert!(told[0].ends_with("the files together have more than 64 MiB"), "{}", told[0]);
}

#[test]
fn changes_without_end_are_refused() {
    let told = errors(load_text(&format!("SecAction id:1\n{}", "SecRuleRemoveById 2\n".repeat(60_000))));
    assert!(
        told[0].ends_with("too many changes to too many rules; change the rules themselves"),
        "{}",
        told[0]
    );
    let targets: String = (0..5000).map(|n| format!("SecRuleUpdateTargetById 1 !ARGS:a{n}\n")).collect();
    let told = errors(load_text(&format!("SecRule ARGS a id:1\n{targets}")));
    assert!(told[0].contains("rule 1 would look at more than 4096 variables"), "{}", told[0]);
}

const PIECES: &[&str] = &[
    "SecRule ",
    "SecAction ",
    "SecMarker ",
    "SecDefaultAction ",
    "SecRuleUpdateTargetById ",
    "SecRuleUpdateActionById ",
    "SecRuleRemoveByTag ",
    "ARGS",
    "REQUEST_HEADERS",
    "XML:/*",
    "TX:/a",
    "&",
    "!",
    "|",
    ":",
    "/",
    "'",
    "\"",
    "\\",
    "\n",
    "\\\n",
    "#",
    " ",
    ",",
    "@rx ",
    "@pm ",
    "@within ",
    "@eq ",
    "@ipMatch ",
    "@validateByteRange ",
    "a",
    "(",
    "%{",
    "tx.a",
    "}",
    "=",
    "+",
    "-",
    "id:1",
    "id:2",
    "phase:2",
    "chain",
    "block",
    "deny",
    "t:none",
    "t:lowercase",
    "setvar:",
    "tx.a=",
    "ctl:",
    "ruleRemoveById=",
    "ruleRemoveTargetByTag=",
    ";",
    "1",
    "9",
    "0.0.0.0/0",
    "skipAfter:",
    "tag:",
    "msg:",
    "<IfModule ",
    "</IfModule>",
    "security2_module",
    ">",
    "\u{e9}",
    "\u{0}",
    "\r\n",
    "\t",
];

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = load_text(&text);
    }

    #[test]
    fn no_pieces_of_the_language_make_it_panic(picks in proptest::collection::vec(0..PIECES.len(), 0..60)) {
        let text: String = picks.into_iter().map(|pick| PIECES[pick]).collect();
        match load_text(&text) {
            Ok(set) => for item in &set.items {
                let sound = match item {
                    Item::Rule(rule) => rule.actions.id > 0 && !rule.links.is_empty(),
                    Item::Marker(name) => !name.is_empty(),
                };
                prop_assert!(sound);
            },
            Err(errors) => prop_assert!(!errors.is_empty()),
        }
    }

    #[test]
    fn targets_that_are_printed_are_read_as_the_same(
        names in proptest::collection::vec(("!?", "ARGS|REQUEST_HEADERS|TX|FILES", "(:([a-z.-]{1,6}|/[a-z|.^$*]{1,8}/))?"), 1..6)
    ) {
        let list: Vec<_> = names.iter().map(|(not, name, selector)| format!("{not}{name}{selector}")).collect();
        let printed = |list: &str| -> Vec<String> {
            let set = load_text(&format!("SecRule \"{list}\" a id:1")).unwrap();
            let Item::Rule(rule) = &set.items[0] else { panic!() };
            rule.links[0].test.as_ref().unwrap().targets.iter().map(ToString::to_string).collect()
        };
        prop_assert_eq!(printed(&list.join("|")), list);
    }
}
