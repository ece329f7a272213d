//! Rules that only steer others are run before any request where their outcome is settled: over any such rules, between others
//! that set, jump, stop and take rules out, both ways say the same, whichever phases are run.

mod support;

use proptest::prelude::*;
use secbeat_engine::{Admission, Facts, Memory, Program};
use secbeat_seclang::Variable;
use std::collections::BTreeMap;
use support::{Outcome, PHASES, program, run};

/// Nothing is admitted.
struct Nothing;

impl Admission for Nothing {
    fn admit(&self, _: u32, _: Variable, _: &[u8]) -> bool {
        false
    }
}

/// What rules do to a request with an argument `a` of this value, phase by phase: those that are run.
fn said(
    program: &Program,
    argument: &str,
    phases: [bool; 5],
    admits: bool,
    plain: bool,
) -> (Vec<u32>, BTreeMap<Vec<u8>, Vec<u8>>) {
    let facts = Facts { plain, budget: u64::MAX, ..Facts::default() };
    let mut transaction = program.transaction(Memory::default(), facts);
    transaction.add(Variable::ArgsGet, b"a", argument.as_bytes());
    for (phase, _) in PHASES.into_iter().zip(phases).filter(|(_, runs)| *runs) {
        let _ = transaction.run_admitting(phase, (!admits).then_some(&Nothing));
    }
    let asked_for =
        transaction.tx_all().filter(|(name, _)| !program.leaves_unset(&name.to_ascii_lowercase()));
    let variables = asked_for.map(|(name, value)| (name.to_vec(), value.into_owned()));
    (transaction.trail().to_vec(), variables.collect())
}

fn pick(list: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(list)
}

const TESTS: &[&str] = &[
    "TX:a \"@lt 2\"",
    "TX:a \"@ge %{tx.b}\"",
    "TX:b \"!@eq 1\"",
    "&TX:b \"@eq 0\"",
    "&TX:c \"!@eq 0\"",
    "TX:a|TX:b \"@gt 0\"",
    "TX:c \"@eq 0\"",
];

/// What hangs on the request.
const ASKS: &[&str] = &["ARGS \"@rx x\"", "ARGS:a \"@eq 1\"", "TX:0 \"@eq 1\"", "TX:/^a/ \"@eq 1\""];

const SETS: &[&str] = &[
    "setvar:tx.a=1",
    "setvar:tx.b=text",
    "setvar:tx.b=+2",
    "setvar:tx.c=-%{tx.a}",
    "setvar:tx.a=%{tx.b}",
    "setvar:!tx.c",
    "setvar:tx.c=1,setvar:tx.c=+1",
    "setvar:tx.a%{tx.b}=1",
    "setvar:'tx.%{MATCHED_VAR}=2'",
    "setvar:'tx.c=%{MATCHED_VAR}'",
    "capture",
    "ctl:ruleRemoveById=3-5",
    "ctl:ruleRemoveTargetById=2-8;TX:a",
];

/// A rule; `ID` stands for its id.
fn rule() -> impl Strategy<Value = String> {
    let head = || prop_oneof![4 => pick(TESTS), 1 => pick(ASKS)];
    let end = || pick(&["nolog", "nolog", "nolog", "nolog,skipAfter:M", "nolog,skipAfter:N", "nolog,skip:2"]);
    let rare = || pick(&["pass", "pass", "pass", "pass", "pass", "deny", "allow:phase", "pass,severity:2"]);
    let sets = || prop::collection::vec(pick(SETS), 0..2).prop_map(|sets| sets.join(","));
    let action = (1..6u8, sets(), end(), rare()).prop_map(|(phase, sets, end, rare)| {
        format!("SecAction \"id:ID,phase:{phase},{rare},{end},{sets}\"\n")
    });
    let one = (head(), 1..6u8, sets(), end(), rare()).prop_map(|(head, phase, sets, end, rare)| {
        format!("SecRule {head} \"id:ID,phase:{phase},{rare},{end},{sets}\"\n")
    });
    let chain =
        (head(), head(), 1..6u8, sets(), sets(), end()).prop_map(|(head, link, phase, first, last, end)| {
            format!("SecRule {head} \"id:ID,phase:{phase},pass,{end},{first},chain\"\n    SecRule {link} \"{last}\"\n")
        });
    prop_oneof![2 => action, 4 => one, 2 => chain]
        .prop_map(|rule| rule.replace(",,", ",").replace(",\"", "\"").replace("\",chain", "\"chain"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn both_ways_say_the_same(
        rules in prop::collection::vec(rule(), 1..16),
        arguments in prop::collection::vec(pick(&["x", "1", "a", "b", ""]), 1..3),
        phases in prop::array::uniform5(prop::bool::weighted(0.8)),
        admits in prop::bool::weighted(0.8),
    ) {
        let mut text = String::new();
        for (at, rule) in rules.iter().enumerate() {
            text += &rule.replace("ID", &(at + 1).to_string());
            if at % 3 == 2 {
                text += "SecMarker N\n";
            }
        }
        text += "SecMarker N\nSecMarker M\n";
        let program = program(&text);
        for argument in &arguments {
            let [plain, fast] = [true, false].map(|plain| said(&program, argument, phases, admits, plain));
            prop_assert_eq!(plain, fast, "{} {:?}", text, phases);
        }
    }
}

/// Values taken apart as the Core Rule Set does it; `OTHERS` stands for more rules.
const APART: &str = r#"
    SecAction "id:100,phase:1,pass,nolog,setvar:'tx.list=/b/ /x/ /11/'"
    SecRule ARGS_NAMES "@rx ^.*$" "id:101,phase:2,pass,log,capture,t:lowercase,setvar:'tx.made_%{tx.0}=/%{tx.0}/',chain"
        SecRule TX:/^made_/ "@within %{tx.list}" "setvar:'tx.found=%{MATCHED_VAR}'"
"#;

/// What else a rule set may ask for and do that has to do with what is made; the second: whether the chain is
/// foreseen all the same where that stands before it, and where it stands behind.
const BESIDE: [(&str, [bool; 2]); 14] = [
    ("", [true, true]),
    ("SecRule TX:made_a \"@rx .\" \"id:1,phase:3,pass\"", [false, false]),
    ("SecRule &TX:/e_a/ \"@eq 1\" \"id:1,phase:3,pass,log\"", [true, true]),
    ("SecRule TX:/made_a/ \"@streq /a/\" \"id:1,phase:3,pass,log\"", [true, true]),
    ("SecRule TX \"@rx a\" \"id:1,phase:3,pass,log\"", [false, false]),
    ("SecRule ARGS \"@rx .\" \"id:1,phase:3,pass,log,msg:'%{tx.made_a} %{tx.0}',capture\"", [false, false]),
    ("SecRule ARGS \"@rx .\" \"id:1,phase:3,pass,log,msg:'%{tx.0}'\"", [true, true]),
    ("SecRule TX:0 \"@rx .\" \"id:1,phase:3,pass,log,capture\"", [true, true]),
    ("SecRule ARGS \"@rx x\" \"id:1,phase:2,pass,setvar:tx.list=/c/\"", [false, true]),
    ("SecRule ARGS_NAMES \"@rx ^b\" \"id:1,phase:1,pass,setvar:tx.list=/c/\"", [true, false]),
    ("SecRule ARGS \"@rx x\" \"id:1,phase:2,pass,setvar:'tx.made%{MATCHED_VAR}=1'\"", [false, false]),
    ("SecRule ARGS \"@rx x\" \"id:1,phase:2,pass,setvar:'tx.mad_%{MATCHED_VAR}=1'\"", [true, true]),
    ("SecRule ARGS_NAMES \"@rx ^b\" \"id:1,phase:1,deny\"", [true, true]),
    ("SecRule ARGS_NAMES \"@rx ^b\" \"id:1,phase:1,pass,ctl:ruleRemoveById=101\"", [true, true]),
];

#[test]
fn a_chain_is_foreseen_only_where_nobody_else_asks_for_what_it_makes() {
    let requests: [&[&str]; 7] =
        [&[], &["a"], &["a", "A", "b"], &["B"], &["1", "11"], &["c", "x"], &["", "a", "c"]];
    for (beside, foreseen) in BESIDE {
        for (first, foreseen) in [true, false].into_iter().zip(foreseen) {
            let text = if first { format!("{beside}\n{APART}") } else { format!("{APART}\n{beside}") };
            let program = program(&text);
            assert_eq!(program.leaves_unset(b"made_c"), foreseen, "{text}");
            for names in requests {
                let values: Vec<_> = names.iter().map(|name| (Variable::ArgsGet, *name, "x")).collect();
                let [plain, fast] = [true, false].map(|plain| {
                    let mut outcome = run(&program, Facts { plain, ..Facts::default() }, &values);
                    outcome
                        .tx
                        .retain(|(name, _)| !program.leaves_unset(&name.to_ascii_lowercase().into_bytes()));
                    outcome
                });
                assert_eq!(plain, fast, "{text} {names:?}");
            }
        }
    }
}

/// Guards and setup in the style of the Core Rule Set.
const GUARDED: &str = r#"
    SecAction "id:1,phase:1,pass,nolog,setvar:tx.level=1"
    SecRule &TX:threshold "@eq 0" "id:2,phase:1,pass,nolog,setvar:tx.threshold=5"
    SecRule TX:level "@lt 2" "id:3,phase:2,pass,nolog,skipAfter:END"
    SecRule ARGS "@rx ." "id:4,phase:2,deny"
    SecMarker END
"#;

#[test]
fn what_steers_is_told_and_cannot_be_taken_out_by_an_exception() {
    let guarded = program(GUARDED);
    let steers: Vec<bool> = (0..4).map(|rule| guarded.steers(rule)).collect();
    assert_eq!(steers, [true, true, true, false]);
    for plain in [true, false] {
        let (trail, variables) = said(&guarded, "x", [true; 5], false, plain);
        assert_eq!(trail, [0, 1, 2], "the guard holds, and what it guards is not run");
        assert_eq!(variables.len(), 2);
    }
}

#[test]
fn a_variable_that_a_request_may_change_settles_nothing() {
    let rules = GUARDED.replace(
        "SecRule &TX",
        "SecRule ARGS \"@streq up\" \"id:9,phase:1,pass,nolog,setvar:tx.level=2\"\nSecRule &TX",
    );
    let program = program(&rules);
    let ids =
        |argument| -> Outcome { run(&program, Facts::default(), &[(Variable::ArgsGet, "a", argument)]) };
    assert_eq!(ids("down").ids, [1, 2, 3]);
    assert_eq!(ids("up").ids, [1, 9, 2, 4]);
}
