//! What rules mean: each property by a few lines of SecLang. Where versions of ModSecurity differ, version 3 is meant.

mod support;

use secbeat_engine::{Facts, Kind, Memory, Store};
use secbeat_seclang::Phase;
use secbeat_seclang::Variable::{self, *};
use support::{Outcome, program};

fn plain() -> Facts<'static> {
    Facts { plain: true, ..Facts::default() }
}

/// Runs rules over values, in both ways.
fn run(rules: &str, values: &[(Variable, &str, &str)]) -> Outcome {
    let program = program(rules);
    let fast = support::run(&program, Facts::default(), values);
    let plain = support::run(&program, plain(), values);
    assert_eq!(plain, fast, "plain, fast");
    plain
}

const ARGS: [(Variable, &str, &str); 3] =
    [(ArgsGet, "a", "one"), (ArgsGet, "b", "two"), (ArgsPost, "c", "three")];

#[test]
fn a_variable_is_set_once_for_each_value_that_matches() {
    let outcome = run(r#"SecRule ARGS "@rx e" "id:1,phase:2,pass,nolog,setvar:tx.n=+1""#, &ARGS);
    assert_eq!((outcome.ids.as_slice(), outcome.tx("n")), (&[1][..], Some("2")));
}

#[test]
fn a_link_is_looked_at_once_after_all_values_of_the_one_before() {
    let rules = r#"
        SecRule ARGS "@rx o" "id:1,phase:2,pass,nolog,setvar:tx.first=+1,chain"
            SecRule TX:first "@eq 2" "setvar:tx.second=+1"
        SecRule ARGS "@rx o" "id:2,phase:2,pass,nolog,setvar:tx.head=+1,chain"
            SecRule TX:first "@eq 1" "setvar:tx.never=1"
    "#;
    let outcome = run(rules, &ARGS);
    assert_eq!(outcome.ids, [1]);
    assert_eq!(outcome.tx("second"), Some("1"));
    assert_eq!(outcome.tx("head"), Some("2"), "what the head sets stays set where the chain breaks");
    assert_eq!(outcome.tx("never"), None);
}

#[test]
fn what_matched_is_remembered_over_the_chain() {
    let rules = r#"
        SecRule ARGS "@rx ^t" "id:1,phase:2,pass,log,msg:'%{MATCHED_VAR_NAME}=%{MATCHED_VAR}',chain"
            SecRule MATCHED_VARS "@rx r" "chain"
                SecRule MATCHED_VARS_NAMES "@streq ARGS:c" "setvar:tx.seen=%{MATCHED_VAR}"
        SecRule &MATCHED_VARS "@gt 0" "id:2,phase:2,pass,nolog"
    "#;
    let outcome = run(rules, &ARGS);
    assert_eq!(outcome.ids, [1], "the next rule begins anew");
    assert_eq!(outcome.matches[0].message, "ARGS:c=ARGS:c");
    assert_eq!(outcome.matches[0].variable, "ARGS:c");
    assert_eq!(outcome.tx("seen"), Some("ARGS:c"));
}

#[test]
fn what_is_captured_replaces_what_was_captured_before() {
    let rules = r#"
        SecRule ARGS:a "@rx (o)(n)(e)" "id:1,phase:2,pass,nolog,capture,setvar:tx.saw=%{tx.0}-%{tx.3}"
        SecRule ARGS:b "@rx t(x)?(w)" "id:2,phase:2,pass,nolog,capture,setvar:tx.then=%{tx.1}%{tx.2}%{tx.3}"
        SecRule ARGS:c "@pm nothing HREE" "id:3,phase:2,pass,nolog,capture,setvar:tx.phrase=%{tx.0}"
    "#;
    let outcome = run(rules, &ARGS);
    assert_eq!(outcome.ids, [1, 2, 3]);
    assert_eq!(outcome.tx("saw"), Some("one-e"));
    assert_eq!(outcome.tx("then"), Some("w"));
    assert_eq!(outcome.tx("phrase"), Some("hree"));
    assert_eq!(outcome.tx("1"), None);
}

#[test]
fn a_scalar_that_nobody_set_is_empty_and_a_collection_has_no_values() {
    let rules = r#"
        SecRule REQBODY_PROCESSOR "!@rx ^JSON$" "id:1,phase:2,pass,nolog"
        SecRule ARGS "!@rx nothing" "id:2,phase:2,pass,nolog"
        SecRule TX:absent "!@eq 1" "id:3,phase:2,pass,nolog"
        SecRule &TX:absent "@eq 0" "id:4,phase:2,pass,nolog"
        SecRule &ARGS "@eq 0" "id:5,phase:2,pass,nolog"
        SecRule MULTIPART_STRICT_ERROR "!@eq 0" "id:6,phase:2,pass,nolog"
    "#;
    assert_eq!(run(rules, &[]).ids, [1, 4, 5]);
}

#[test]
fn what_is_excluded_is_neither_looked_at_nor_counted() {
    let rules = r#"
        SecRule ARGS|!ARGS:a "@rx one" "id:1,phase:2,pass,nolog"
        SecRule ARGS|!ARGS:/^[AB]$/ "@rx three" "id:2,phase:2,pass,nolog"
        SecRule &ARGS "@eq 3" "id:3,phase:2,pass,nolog"
        SecRule &ARGS:B "@eq 1" "id:4,phase:2,pass,nolog"
        SecRule ARGS_NAMES|!ARGS:a "@streq a" "id:5,phase:2,pass,nolog"
    "#;
    assert_eq!(run(rules, &ARGS).ids, [2, 3, 4, 5]);
}

#[test]
fn names_and_sizes_follow_from_what_was_added() {
    let rules = r#"
        SecRule ARGS_GET_NAMES "@streq c" "id:1,phase:2,pass,nolog"
        SecRule ARGS_POST_NAMES "@streq c" "id:2,phase:2,pass,nolog"
        SecRule ARGS_COMBINED_SIZE "@eq 14" "id:3,phase:2,pass,nolog"
        SecRule REQUEST_BODY_LENGTH "@eq 7" "id:4,phase:2,pass,nolog"
        SecRule REQUEST_HEADERS_NAMES "@rx ^Host$" "id:5,phase:2,pass,nolog"
        SecRule FILES_COMBINED_SIZE "@eq 30" "id:6,phase:2,pass,nolog"
    "#;
    let mut values = ARGS.to_vec();
    values.extend([
        (RequestBody, "", "c=three"),
        (RequestHeaders, "Host", "x"),
        (FilesSizes, "f", "10"),
        (FilesSizes, "g", "20"),
    ]);
    assert_eq!(run(rules, &values).ids, [2, 3, 4, 5, 6]);
}

#[test]
fn numbers_are_read_as_atoi_reads_them() {
    let rules = r#"
        SecRule ARGS:a "@eq 0" "id:1,phase:2,pass,nolog"
        SecRule ARGS:b "@ge 5" "id:2,phase:2,pass,nolog"
        SecAction "id:3,phase:2,pass,nolog,setvar:tx.n=+5,setvar:tx.n=-2,setvar:tx.m=%{tx.n}"
        SecRule TX:N "@eq %{tx.m}" "id:4,phase:2,pass,nolog"
        SecRule TX:n "!@lt 3" "id:5,phase:2,pass,nolog"
        SecAction "id:6,phase:2,pass,nolog,setvar:!tx.n"
        SecRule TX:n "@ge 0" "id:7,phase:2,pass,nolog"
    "#;
    let outcome = run(rules, &[(ArgsGet, "a", "abc"), (ArgsGet, "b", " 7x")]);
    assert_eq!(outcome.ids, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_rule_leads_behind_a_marker_or_over_as_many_rules_as_it_says() {
    let rules = r#"
        SecAction "id:1,phase:1,pass,nolog,skipAfter:END"
        SecAction "id:2,phase:1,pass,nolog"
        SecAction "id:3,phase:2,pass,nolog"
        SecMarker END
        SecAction "id:4,phase:1,pass,nolog,skip:2"
        SecAction "id:5,phase:1,pass,nolog"
        SecAction "id:6,phase:2,pass,nolog"
        SecAction "id:7,phase:1,pass,nolog"
        SecAction "id:8,phase:1,pass,nolog"
    "#;
    assert_eq!(run(rules, &[]).ids, [1, 4, 8, 3, 6], "markers and skips concern their phase alone");
}

#[test]
fn a_rule_that_denies_ends_all_but_logging() {
    let rules = r#"
        SecAction "id:1,phase:1,deny,status:409,log,msg:'no'"
        SecAction "id:2,phase:1,pass,nolog"
        SecAction "id:3,phase:2,pass,nolog"
        SecAction "id:4,phase:5,pass,nolog"
    "#;
    let outcome = run(&format!("SecRuleEngine On\n{rules}"), &[]);
    assert_eq!(outcome.ids, [1, 4]);
    let stopped = outcome.stopped.unwrap();
    assert_eq!((stopped.rule, stopped.kind, stopped.status), (Some(0), Kind::Deny, 409));
    let outcome = run(&format!("SecRuleEngine DetectionOnly\n{rules}"), &[]);
    assert_eq!((outcome.ids.as_slice(), outcome.stopped), (&[1, 2, 3, 4][..], None));
    assert!(outcome.matches[0].disruptive);
    assert!(run(&format!("SecRuleEngine Off\n{rules}"), &[]).ids.is_empty());
}

#[test]
fn a_rule_that_allows_ends_a_phase_the_request_or_all_but_logging() {
    let after = r#"
        SecAction "id:2,phase:1,pass,nolog"
        SecAction "id:3,phase:2,pass,nolog"
        SecAction "id:4,phase:3,pass,nolog"
        SecAction "id:5,phase:5,pass,nolog"
    "#;
    let cases: [(&str, &[u64]); 3] =
        [("allow:phase", &[1, 3, 4, 5]), ("allow:request", &[1, 4, 5]), ("allow", &[1, 5])];
    for (allow, ids) in cases {
        let outcome = run(&format!("SecAction \"id:1,phase:1,nolog,{allow}\"\n{after}"), &[]);
        assert_eq!(outcome.ids, ids, "{allow}");
    }
}

#[test]
fn rules_and_targets_are_taken_out_for_the_rest_of_the_transaction() {
    let rules = r#"
        SecAction "id:1,phase:1,pass,nolog,ctl:ruleRemoveById=10-11,ctl:ruleRemoveByTag=lang"
        SecAction "id:2,phase:1,pass,nolog,ctl:ruleRemoveTargetById=20;ARGS:A"
        SecAction "id:3,phase:1,pass,nolog,ctl:ruleRemoveTargetByTag=x;ARGS:b"
        SecAction "id:10,phase:2,pass,nolog"
        SecAction "id:12,phase:2,pass,nolog,tag:language"
        SecRule ARGS "@rx one" "id:20,phase:2,pass,nolog"
        SecRule ARGS "@rx two" "id:21,phase:2,pass,nolog,tag:x"
        SecRule ARGS "@rx one" "id:22,phase:2,pass,nolog,tag:x"
    "#;
    assert_eq!(run(rules, &ARGS).ids, [1, 2, 3, 22]);
}

#[test]
fn what_is_done_beside_variables_waits_for_the_whole_chain() {
    let rules = r#"
        SecRule ARGS "@rx one" "id:1,phase:1,pass,nolog,ctl:ruleRemoveById=3,chain"
            SecRule ARGS "@rx absent"
        SecRule ARGS "@rx one" "id:2,phase:1,pass,nolog,chain"
            SecRule ARGS "@rx two" "ctl:ruleRemoveById=4"
        SecAction "id:3,phase:2,pass,nolog"
        SecAction "id:4,phase:2,pass,nolog"
    "#;
    assert_eq!(run(rules, &ARGS).ids, [2, 3]);
}

#[test]
fn each_form_of_a_value_counts_where_many_are_looked_at() {
    let rules = r#"
        SecRule ARGS:a "@rx %" "id:1,phase:2,pass,nolog,multiMatch,t:urlDecode,t:urlDecode,setvar:tx.n=+1"
        SecRule ARGS:a "@rx %" "id:2,phase:2,pass,nolog,t:urlDecode,t:urlDecode,setvar:tx.m=+1"
    "#;
    let outcome = run(rules, &[(ArgsGet, "a", "%2541")]);
    assert_eq!((outcome.ids.as_slice(), outcome.tx("n"), outcome.tx("m")), (&[1][..], Some("2"), None));
}

#[test]
fn a_match_tells_what_matched_how_it_was_transformed_and_where() {
    let rules = r#"
        SecRule ARGS "@rx ^one$" "id:7,phase:2,deny,log,t:urlDecode,t:lowercase,t:removeNulls,capture,\
            msg:'saw %{tx.0}',logdata:'%{MATCHED_VAR_NAME} is %{MATCHED_VAR} in %{rule.id}',severity:CRITICAL"
    "#;
    let outcome = run(rules, &[(ArgsGet, "q", "%4fNE")]);
    let told = &outcome.matches[0];
    assert_eq!((told.variable.as_str(), told.value.as_slice()), ("ARGS:q", &b"one"[..]));
    assert_eq!((told.message.as_str(), told.data.as_str()), ("saw one", "ARGS:q is one in 7"));
    assert_eq!(told.transformations, ["urlDecode", "lowercase"]);
}

#[test]
fn names_made_while_rules_run_are_found_by_expressions_and_by_their_names() {
    let rules = r#"
        SecRule ARGS "@rx ." "id:1,phase:2,pass,nolog,setvar:'tx.seen_%{MATCHED_VAR_NAME}=+1'"
        SecRule TX:/^SEEN_/ "@eq 1" "id:2,phase:2,pass,nolog,setvar:tx.n=+1"
        SecRule TX:seen_args:b "@eq 1" "id:3,phase:2,pass,nolog"
        SecRule &TX:/^seen_/ "@eq 3" "id:4,phase:2,pass,nolog"
    "#;
    let outcome = run(rules, &ARGS);
    assert_eq!((outcome.ids.as_slice(), outcome.tx("n")), (&[1, 2, 3, 4][..], Some("3")));
}

#[test]
fn an_expression_with_macros_is_compiled_when_it_runs() {
    let rules = r#"
        SecAction "id:1,phase:1,pass,nolog,setvar:tx.ends=o"
        SecRule ARGS:b "@rx ^t.%{tx.ends}$" "id:2,phase:2,pass,nolog"
        SecRule ARGS:a "@rx ^t.%{tx.ends}$" "id:3,phase:2,pass,nolog"
        SecRule ARGS:a "@within %{tx.ends}ne or more" "id:4,phase:2,pass,nolog"
        SecRule ARGS:a "@beginsWith %{tx.ends}" "id:5,phase:2,pass,nolog"
    "#;
    assert_eq!(run(rules, &ARGS).ids, [1, 2, 4, 5]);
}

#[test]
fn work_beyond_the_budget_stops_the_request() {
    let rules = r#"
        SecRule ARGS "@rx two" "id:1,phase:2,pass,nolog"
        SecAction "id:2,phase:2,pass,nolog"
    "#;
    let facts = Facts { budget: 40, ..plain() };
    let outcome = support::run(&program(rules), facts, &ARGS);
    assert_eq!(outcome.stopped.map(|stopped| (stopped.rule, stopped.kind)), Some((None, Kind::Budget)));
    assert!(!outcome.ids.contains(&2));
}

#[test]
fn text_that_doubles_itself_ends_somewhere() {
    let mut rules = String::from("SecAction \"id:1,phase:1,pass,nolog,setvar:tx.a=0123456789abcdef\"\n");
    for id in 2..60 {
        rules += &format!("SecAction \"id:{id},phase:1,pass,nolog,setvar:'tx.a=%{{tx.a}}%{{tx.a}}'\"\n");
    }
    let outcome = run(&rules, &[]);
    assert!(outcome.tx("a").is_some_and(|text| text.len() <= 2 << 20));
}

#[test]
fn the_fact_of_a_connection_are_values() {
    let rules = r#"
        SecRule REMOTE_ADDR "@ipMatch 10.0.0.0/8,2001:db8::/32" "id:1,phase:1,pass,nolog"
        SecRule REMOTE_ADDR "@ipMatch 192.168.0.0/16" "id:2,phase:1,pass,nolog"
        SecRule REMOTE_PORT "@eq 99" "id:3,phase:1,pass,nolog"
        SecRule UNIQUE_ID "@streq u1" "id:4,phase:1,pass,nolog"
        SecRule TIME_YEAR "@eq 1970" "id:5,phase:1,pass,nolog"
        SecRule SERVER_NAME "@streq example.org" "id:6,phase:1,pass,nolog"
    "#;
    let client = "10.2.3.4".parse().unwrap();
    let facts = Facts { client, client_port: 99, unique_id: "u1", server_name: b"example.org", ..plain() };
    assert_eq!(support::run(&program(rules), facts, &[]).ids, [1, 3, 4, 5, 6]);
}

#[test]
fn the_highest_severity_is_the_lowest_number() {
    let rules = r#"
        SecAction "id:1,phase:1,pass,nolog,severity:WARNING"
        SecAction "id:2,phase:1,pass,nolog,severity:CRITICAL"
        SecAction "id:3,phase:1,pass,nolog,severity:NOTICE"
        SecRule HIGHEST_SEVERITY "@eq 2" "id:4,phase:1,pass,nolog"
    "#;
    assert_eq!(run(rules, &[]).ids, [1, 2, 3, 4]);
}

#[test]
fn what_is_kept_outlives_the_transaction_until_it_ends() {
    let program = program(
        r#"
        SecAction "id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR}_x"
        SecRule IP:n "@ge 2" "id:2,phase:1,pass,nolog,setvar:tx.saw=%{ip.n}"
        SecRule ARGS:flag "@streq 1" "id:3,phase:2,pass,nolog,setvar:ip.flag=1,expirevar:ip.flag=60"
        SecRule IP:FLAG "@eq 1" "id:4,phase:5,pass,nolog"
        SecAction "id:5,phase:5,pass,nolog,setvar:ip.n=+1,setvar:session.n=+1"
        SecRule &SESSION:n "@gt 0" "id:6,phase:5,pass,nolog"
    "#,
    );
    let kept = Store::default();
    let run = |client: &str, now_ms, flag: &'static str| {
        let client = client.parse().unwrap();
        let facts = Facts { client, now_ms, collections: Some(&kept), ..plain() };
        support::run(&program, facts, &[(ArgsGet, "flag", flag)])
    };
    assert_eq!(run("10.0.0.1", 1_000, "1").ids, [1, 3, 4, 5]);
    assert_eq!(run("10.0.0.1", 60_999, "0").ids, [1, 4, 5]);
    let third = run("10.0.0.1", 61_000, "0");
    assert_eq!((third.ids.as_slice(), third.tx("saw")), (&[1, 2, 5][..], Some("2")));
    assert_eq!(run("10.0.0.2", 61_000, "0").ids, [1, 5]);
    assert_eq!(run("10.0.0.1", 4_000_000, "0").ids, [1, 5], "nothing happened for an hour");
}

#[test]
fn memory_goes_from_one_program_to_another() {
    let programs = ["one", "two"].map(|word| {
        program(&format!(
            r#"
            SecRule ARGS "@rx ^{word}$" "id:1,phase:2,pass,nolog,t:lowercase"
            SecRule ARGS "@pm {word} zzz" "id:2,phase:2,pass,nolog,setvar:tx.{word}=+1"
            SecRule &TX:{word} "@eq 1" "id:3,phase:2,pass,nolog"
        "#
        ))
    });
    let mut memory = Memory::default();
    for turn in 0..6 {
        let (program, word) = (&programs[turn % 2], ["one", "two"][turn % 2]);
        let mut transaction = program.transaction(memory, Facts::default());
        transaction.add(ArgsGet, b"a", b"one");
        transaction.add(ArgsGet, b"b", b"TWO");
        transaction.run(Phase::RequestHeaders);
        transaction.run(Phase::RequestBody);
        assert_eq!(transaction.trail(), [0, 1, 2], "{word}");
        assert_eq!(transaction.tx_number(word), Some(1));
        assert_eq!(transaction.tx_all().count(), 1);
        memory = transaction.finish();
    }
}
