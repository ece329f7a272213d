//! Over any rules that a scan takes part in, both ways say the same: many transformations and sources, guards, values that come
//! from phase to phase, memory that served other programs before.

mod support;

use proptest::prelude::*;
use secbeat_engine::{Facts, Match, Memory, Program, Transaction};
use secbeat_seclang::Variable::{self, *};
use support::{PHASES, program};

/// What rules did.
#[derive(Debug, PartialEq)]
struct Said {
    trail: Vec<u32>,
    matches: Vec<Match>,
    variables: Vec<(Vec<u8>, Vec<u8>)>,
    stopped: Vec<Option<secbeat_engine::Intervention>>,
}

/// The values that come before each of the first four phases.
type Values = Vec<(usize, Variable, Vec<u8>, Vec<u8>)>;

fn said(program: &Program, memory: &mut Memory, values: &Values, plain: bool) -> Said {
    let facts = Facts { plain, budget: u64::MAX, ..Facts::default() };
    let mut transaction = program.transaction(std::mem::take(memory), facts);
    let mut stopped = Vec::new();
    for (at, phase) in PHASES.into_iter().enumerate() {
        values.iter().filter(|(before, ..)| *before == at).for_each(|value| tell(&mut transaction, value));
        stopped.push(transaction.run(phase));
    }
    let mut variables: Vec<_> =
        transaction.tx_all().map(|(name, value)| (name.to_vec(), value.into_owned())).collect();
    variables.sort();
    let said = Said {
        trail: transaction.trail().to_vec(),
        matches: transaction.matches().to_vec(),
        variables,
        stopped,
    };
    *memory = transaction.finish();
    said
}

fn tell(transaction: &mut Transaction<'_>, (_, variable, name, value): &(usize, Variable, Vec<u8>, Vec<u8>)) {
    match variable.is_collection() {
        true => transaction.add(*variable, name, value),
        false => transaction.set(*variable, value),
    }
}

const TARGETS: &[&str] = &[
    "ARGS",
    "ARGS",
    "ARGS_GET",
    "ARGS_POST:a",
    "ARGS_NAMES",
    "!ARGS:b",
    "!ARGS_GET:/^a/",
    "!ARGS:/b$/",
    "ARGS:/a/",
    "&ARGS",
    "ARGS_POST_NAMES",
    "REQUEST_COOKIES",
    "!REQUEST_COOKIES:/a/",
    "REQUEST_COOKIES_NAMES",
    "REQUEST_HEADERS",
    "REQUEST_HEADERS:a",
    "REQUEST_HEADERS_NAMES",
    "XML:/*",
    "FILES",
    "REQUEST_URI",
    "REQUEST_LINE",
    "REQUEST_FILENAME",
    "REQUEST_BODY",
    "RESPONSE_BODY",
    "RESPONSE_HEADERS",
    "TX:x",
    "MATCHED_VARS",
    "REQUEST_METHOD",
];

const OPERATORS: &[&str] = &[
    "@rx select|union",
    "@rx (?i)<script",
    "@rx [a-c]{2}[0-9]",
    "@rx ^$",
    "@rx .",
    "@rx ^(a|b)*c?$",
    "@rx a(?!b)",
    "@rx \\bor\\b",
    "@rx (..)[/]",
    "!@rx ^[a-z0-9 ]*$",
    "@pm select union ab script",
    "@pm b",
    "@contains ab",
    "@beginsWith a",
    "@endsWith C",
    "@streq ab",
    "!@streq ab",
    "@containsWord or",
    "@within ab abc select",
    "@detectSQLi",
    "@detectXSS",
    "@validateByteRange 32-126",
    "!@validateByteRange 97-122",
    "@validateUrlEncoding",
    "@validateUtf8Encoding",
    "@eq 1",
    "@lt 2",
    "@unconditionalMatch",
    "@rx %{tx.x}",
];

const TRANSFORMATIONS: &[&str] = &[
    "none",
    "urlDecodeUni",
    "urlDecode",
    "lowercase",
    "lowercase",
    "htmlEntityDecode",
    "jsDecode",
    "cssDecode",
    "removeNulls",
    "replaceNulls",
    "removeWhitespace",
    "compressWhitespace",
    "replaceComments",
    "removeComments",
    "removeCommentsChar",
    "normalizePath",
    "normalizePathWin",
    "cmdLine",
    "base64Decode",
    "base64DecodeExt",
    "hexDecode",
    "hexEncode",
    "sqlHexDecode",
    "utf8toUnicode",
    "escapeSeqDecode",
    "length",
    "trim",
    "sha1",
    "uppercase",
];

const ACTIONS: &[&str] = &[
    "setvar:tx.x=+1",
    "setvar:tx.level=2",
    "setvar:'tx.x=%{MATCHED_VAR}'",
    "capture",
    "capture,setvar:'tx.x=%{tx.0}'",
    "multiMatch",
    "log,logdata:'%{MATCHED_VAR_NAME} %{MATCHED_VAR}'",
    "ctl:ruleRemoveById=3",
    "ctl:ruleRemoveTargetById=1-5;ARGS:a",
    "ctl:ruleRemoveTargetById=1-9;REQUEST_COOKIES",
];

fn pick(list: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(list)
}

/// A rule with its chain, or a guard; `ID` stands for its id.
fn rule() -> impl Strategy<Value = String> {
    let link = (
        prop::collection::vec(pick(TARGETS), 1..4),
        pick(OPERATORS),
        prop::collection::vec(pick(TRANSFORMATIONS), 0..4),
        prop::collection::vec(pick(ACTIONS), 0..2),
    );
    let rule = (
        prop::collection::vec(link, 1..3),
        1..6u8,
        pick(&["pass", "pass", "pass", "deny", "pass,skipAfter:M"]),
    );
    let rule = rule.prop_map(|(links, phase, last)| {
        let count = links.len();
        let mut text = String::new();
        for (at, (targets, operator, transformations, actions)) in links.into_iter().enumerate() {
            let mut all: Vec<String> = actions.iter().map(|action| action.to_string()).collect();
            all.extend(transformations.iter().map(|name| format!("t:{name}")));
            if at == 0 {
                all.insert(0, format!("id:ID,phase:{phase},{last}"));
            }
            if at + 1 < count {
                all.push("chain".into());
            }
            text += &format!("SecRule {} \"{operator}\" \"{}\"\n", targets.join("|"), all.join(","));
        }
        text
    });
    let guard = (1..4u8, 1..6u8, pick(&["M", "N"])).prop_map(|(level, phase, marker)| {
        format!("SecRule TX:level \"@lt {level}\" \"id:ID,phase:{phase},pass,nolog,skipAfter:{marker}\"\n")
    });
    prop_oneof![6 => rule, 1 => guard]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let parts: Vec<&'static [u8]> = vec![
        b"a",
        b"b",
        b"ab",
        b"C",
        b"1",
        b" ",
        b"select",
        b"UNION",
        b"<script",
        b"' or 1=1--",
        b"%61",
        b"%3C",
        b"&lt;",
        b"\\x61",
        b"\\u0062",
        b"/*",
        b"*/",
        b"\0",
        b"\xc3\xa9",
        b"\xff",
        b"/../",
        b"//",
        b"YWI=",
        b"6162",
        b"0x6162",
        b"%",
        b"+",
        b"^",
        b"\"",
        b"\t\n",
        b"or",
    ];
    prop::collection::vec(prop::sample::select(parts), 0..7).prop_map(|parts| parts.concat())
}

fn values() -> impl Strategy<Value = Values> {
    let variables = vec![
        ArgsGet,
        ArgsGet,
        ArgsPost,
        RequestCookies,
        RequestHeaders,
        Files,
        RequestUri,
        RequestLine,
        RequestFilename,
        RequestBody,
        ResponseBody,
        ResponseHeaders,
        RequestMethod,
    ];
    let name = prop_oneof![Just(b"a".to_vec()), Just(b"b".to_vec()), Just(b"A".to_vec()), value()];
    let one = (0..4usize, prop::sample::select(variables), name, value());
    let xml = (0..2usize, value()).prop_map(|(at, value)| (at, Xml, b"/*".to_vec(), value));
    prop::collection::vec(prop_oneof![9 => one, 1 => xml], 0..10)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn both_ways_say_the_same(
        rules in prop::collection::vec(rule(), 1..12),
        requests in prop::collection::vec(values(), 1..4),
        level in 0..4u8,
    ) {
        let mut text = format!("SecAction \"id:1000,phase:1,pass,nolog,setvar:tx.level={level}\"\n");
        for (at, rule) in rules.iter().enumerate() {
            text += &rule.replace("ID", &(at + 1).to_string());
            if at % 4 == 3 {
                text += "SecMarker N\n";
            }
        }
        text += "SecMarker N\nSecMarker M\n";
        let other = program("SecRule ARGS \"@rx a\" \"id:1,phase:2,pass,t:lowercase\"");
        let program = program(&text);
        let (mut plain, mut fast) = (Memory::default(), Memory::default());
        for values in &requests {
            said(&other, &mut fast, values, false);
            let (expected, found) =
                (said(&program, &mut plain, values, true), said(&program, &mut fast, values, false));
            prop_assert_eq!(expected, found, "{}", text);
        }
    }
}
