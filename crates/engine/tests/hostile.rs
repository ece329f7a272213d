//! Rules and values that mean harm: no panic, bounded work, and the two ways agree.

mod support;

use proptest::prelude::*;
use secbeat_engine::{Facts, Kind};
use secbeat_seclang::Variable::{self, *};
use support::{program, run};

fn plain() -> Facts<'static> {
    Facts { plain: true, ..Facts::default() }
}

#[test]
fn the_longest_chain_is_run_link_by_link() {
    let mut rules = String::from("SecRule ARGS \"@rx a\" \"id:1,phase:2,pass,nolog,chain\"\n");
    for _ in 0..254 {
        rules += "SecRule ARGS \"@rx a\" \"chain\"\n";
    }
    rules += "SecRule ARGS \"@rx a\" \"setvar:tx.end=1\"\n";
    let outcome = run(&program(&rules), plain(), &[(ArgsGet, "a", "a")]);
    assert_eq!((outcome.ids.as_slice(), outcome.tx("end")), (&[1][..], Some("1")));
}

#[test]
fn what_matched_cannot_grow_without_end() {
    // Each link looks at all that matched before, and doubles it.
    let mut rules = String::from("SecRule ARGS \"@rx a\" \"id:1,phase:2,pass,nolog,chain\"\n");
    rules += &"SecRule MATCHED_VARS \"@rx a\" \"chain\"\n".repeat(60);
    rules += "SecRule MATCHED_VARS \"@rx a\"\n";
    let facts = Facts { budget: 1_000_000, ..plain() };
    let outcome = run(&program(&rules), facts, &[(ArgsGet, "a", "a")]);
    assert_eq!(outcome.stopped.map(|stopped| stopped.kind), Some(Kind::Budget));
}

#[test]
fn ten_thousand_arguments_and_a_mebibyte_of_percent_signs_end_in_a_verdict() {
    let rules = r#"
        SecRule ARGS|ARGS_NAMES "@rx (a|aa)+$" "id:1,phase:2,pass,nolog,t:urlDecodeUni,t:htmlEntityDecode,setvar:'tx.s_%{MATCHED_VAR_NAME}=%{MATCHED_VAR}'"
        SecRule TX:/^s_/ "@rx x" "id:2,phase:2,pass,nolog,t:urlDecodeUni,multiMatch"
    "#;
    let program = program(rules);
    let names: Vec<String> = (0..10_000).map(|number| format!("n{number}")).collect();
    let many: Vec<(Variable, &str, &str)> =
        names.iter().map(|name| (ArgsGet, name.as_str(), "aaax")).collect();
    assert_eq!(run(&program, plain(), &many).stopped, None);
    let percent = "%25".repeat(1 << 18);
    assert_eq!(run(&program, plain(), &[(ArgsPost, "p", &percent)]).stopped, None);
}

#[test]
fn mistakes_of_rules_are_told_with_their_places() {
    let text =
        "SecRule ARGS \"@rx a(\" \"id:1,phase:2,pass\"\n\nSecRule ARGS:/(/ \"@rx a\" \"id:2,phase:2,pass\"\n";
    let told = match secbeat_seclang::load_text(text) {
        Ok(rules) => secbeat_engine::Program::compile(&rules)
            .err()
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("text:1: rule 1: @rx: "), "{told:?}");
    assert!(told[1].starts_with("text:3: rule 2: ARGS:/(/: "), "{told:?}");
}

/// A rule, from choices that rules of all kinds are made of.
fn rule() -> impl Strategy<Value = String> {
    let target = prop::sample::select(vec![
        "ARGS",
        "ARGS:a",
        "!ARGS:b",
        "&ARGS",
        "ARGS_NAMES",
        "REQUEST_COOKIES",
        "ARGS:/^a/",
        "TX:x",
        "&TX:x",
        "TX:/x/",
        "MATCHED_VARS",
        "MATCHED_VAR",
        "MATCHED_VARS_NAMES",
        "REQUEST_URI",
        "REQBODY_PROCESSOR",
        "IP:x",
        "RULE:id",
        "ARGS_COMBINED_SIZE",
        "TIME",
        "DURATION",
        "REQUEST_HEADERS:Host",
        "TX:0",
        "TX",
    ]);
    let operator = prop::sample::select(vec![
        "@rx a(b)?",
        "!@rx ^$",
        "@pm select union b",
        "@eq 1",
        "!@ge 2",
        "@streq %{tx.x}",
        "@within a b c",
        "@contains b",
        "@containsWord a",
        "@detectSQLi",
        "@detectXSS",
        "@validateByteRange 32-126",
        "@validateUrlEncoding",
        "@validateUtf8Encoding",
        "@rx ^%{tx.x}",
        "@beginsWith %{tx.0}",
        "@endsWith b",
        "@unconditionalMatch",
        "@noMatch",
        "@lt %{tx.y}",
        "@verifyCC \\d{13,16}",
        "@ipMatch 1.2.3.4",
    ]);
    let action = prop::sample::select(vec![
        "setvar:tx.x=+1",
        "setvar:tx.y=%{tx.x}",
        "setvar:!tx.x",
        "setvar:'tx.%{MATCHED_VAR}=%{MATCHED_VAR_NAME}'",
        "capture",
        "multiMatch",
        "t:lowercase",
        "t:urlDecodeUni",
        "t:none",
        "t:length",
        "t:base64Decode",
        "setvar:tx.x=-%{tx.y}",
        "ctl:ruleRemoveById=3",
        "ctl:ruleRemoveTargetById=2;ARGS:a",
        "setvar:ip.x=+1",
        "initcol:ip=%{tx.x}",
        "expirevar:ip.x=1",
        "setvar:tx.x=%{MATCHED_VAR}%{tx.x}",
        "ctl:forceRequestBodyVariable=On",
        "setenv:a=%{tx.x}",
    ]);
    let last =
        prop::sample::select(vec!["pass", "pass", "deny", "allow:phase", "skip:1", "pass,skipAfter:M"]);
    let link = (prop::collection::vec(target, 1..4), operator, prop::collection::vec(action, 0..4));
    (prop::collection::vec(link, 1..4), last, 1..6u8).prop_map(|(links, last, phase)| {
        let count = links.len();
        let mut text = String::new();
        for (at, (targets, operator, actions)) in links.into_iter().enumerate() {
            let mut all: Vec<&str> = actions;
            let head = format!("id:ID,phase:{phase},{last}");
            if at == 0 {
                all.insert(0, &head);
            }
            if at + 1 < count {
                all.push("chain");
            }
            let targets = targets.join("|");
            text += &format!("SecRule {targets} \"{operator}\" \"{}\"\n", all.join(","));
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_rules_over_any_values_come_to_the_same_verdict_both_ways(
        rules in prop::collection::vec(rule(), 1..8),
        values in prop::collection::vec(("[ab]{1,2}", "[ab%1<' ]{0,12}"), 0..6),
    ) {
        let mut text: String =
            rules.iter().enumerate().map(|(at, rule)| rule.replace("ID", &(at + 1).to_string())).collect();
        text += "SecMarker M\n";
        let program = program(&text);
        let values: Vec<(Variable, &str, &str)> =
            values.iter().map(|(name, value)| (ArgsGet, name.as_str(), value.as_str())).collect();
        let slow = run(&program, plain(), &values);
        let fast = run(&program, Facts::default(), &values);
        prop_assert_eq!(slow, fast, "{}", text);
    }
}
