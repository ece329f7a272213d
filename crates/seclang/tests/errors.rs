//! Each mistake is told with its place, what is wrong and what to do.

use secbeat_seclang::load_text;

/// Text, and what is told of it, without `text:`.
#[rustfmt::skip]
const TABLE: &[(&str, &str)] = &[
    // The text.
    (r#"SecRule ARGS "@rx a" "id:1"#, "1: the quote before \"\\\"id:1\" is not closed; close it, or end the line in a backslash (with no space behind it) to go on"),
    ("SecMarker \u{0}", "1: a NUL byte; expected text: write \\x00"),
    ("\n\nSecRulEngine On", "3: unknown directive \"SecRulEngine\" (did you mean SecRuleEngine?)"),
    ("<Location /a>", "1: \"<Location /a>\" is not supported; expected <IfModule>: look at REQUEST_FILENAME or REQUEST_HEADERS:Host in the rule"),
    ("<IfModule security2_module>", "1: this section is not closed; expected </IfModule> in the same file"),
    ("</IfModule>", "1: </IfModule> without its beginning"),
    // Directives.
    ("SecRuleEngine Perhaps", "1: SecRuleEngine: \"Perhaps\": expected On, DetectionOnly or Off"),
    ("SecRequestBodyLimit 1k", "1: SecRequestBodyLimit: \"1k\": expected a whole number"),
    ("SecRequestBodyAccess On On", "1: SecRequestBodyAccess: expected one value, found 2"),
    ("SecRuleScript x.lua", "1: SecRuleScript is not supported: no scripts are run in the path of a request; write the check as a SecRule"),
    ("SecHashEngine On", "1: SecHashEngine is not supported: links are not signed here; take the directive away"),
    ("SecUnicodeMapFile unicode.mapping 1250", "1: SecUnicodeMapFile: code page 1250 is not supported; only 20127 (ASCII) is built in"),
    ("Include nowhere.conf", "1: nowhere.conf cannot be read: entity not found"),
    ("Include no*.conf", "1: no*.conf: no such file; if it may be missing, write IncludeOptional"),
    ("SecMarker", "1: SecMarker: expected one name"),
    // Targets.
    (r#"SecRule ARG "a" "id:1""#, "1: rule 1: unknown variable \"ARG\" (did you mean ARGS?)"),
    (r#"SecRule ARGS|| "a" "id:1""#, "1: rule 1: \"|\" in a list of variables; expected a name"),
    (r#"SecRule ARGS: "a" "id:1""#, "1: rule 1: ARGS: is followed by no name; expected ARGS:name or ARGS:/expression/"),
    (r#"SecRule ARGS:/a "a" "id:1""#, "1: rule 1: ARGS:\"/a\": expected a closing /"),
    (r#"SecRule REQUEST_URI:a "a" "id:1""#, "1: rule 1: REQUEST_URI holds one value; take the selector \"a\" away"),
    (r#"SecRule XML://user "a" "id:1""#, "1: rule 1: XML://user is not supported; use XML:/* (all text) or XML://@* (all attributes)"),
    (r#"SecRule !&ARGS "a" "id:1""#, "1: rule 1: !&ARGS: a count cannot be left out; write !ARGS or &ARGS"),
    (r#"SecRule STREAM_INPUT_BODY "a" "id:1""#, "1: rule 1: variable STREAM_INPUT_BODY is not supported: bodies are not rewritten; look at REQUEST_BODY"),
    // Operators.
    (r#"SecRule ARGS "@contain a" "id:1""#, "1: rule 1: unknown operator @\"contain\" (did you mean contains?)"),
    (r#"SecRule ARGS "@inspectFile a" "id:1""#, "1: rule 1: operator @inspectFile is not supported: no programs are run in the path of a request"),
    (r#"SecRule ARGS "@eq five" "id:1""#, "1: rule 1: @eq \"five\": expected a whole number or a macro"),
    (r#"SecRule ARGS "@detectXSS x" "id:1""#, "1: rule 1: @detectXSS takes no argument; take \"x\" away"),
    (r#"SecRule ARGS "@validateByteRange 1-256" "id:1""#, "1: rule 1: @validateByteRange: \"1-256\" is no range of bytes; expected one as 32-126 or 9"),
    (r#"SecRule ARGS "@ipMatch 10.0.0.0/33" "id:1""#, "1: rule 1: @ipMatch: \"10.0.0.0/33\" is no address; expected one as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32"),
    (r#"SecRule ARGS "@pmFromFile a.data" "id:1""#, "1: rule 1: a.data cannot be read: entity not found"),
    (r#"SecRule ARGS "@pmFromFile https://x/a" "id:1""#, "1: rule 1: \"https://x/a\": nothing is fetched from elsewhere; download it and name the file"),
    (r#"SecRule ARGS "@streq %{tx}%{nope.a}" "id:1""#, "1: rule 1: macro %{nope.a}: unknown variable \"nope\""),
    // Actions.
    (r#"SecRule ARGS "a""#, "1: no id; expected one of its own for each rule: write id:number"),
    (r#"SecRule ARGS "a" "id:x""#, "1: id:\"x\": expected a whole number above 0"),
    (r#"SecRule ARGS "a" "id:1,phase:6""#, "1: rule 1: phase:\"6\": expected 1 to 5, request, response or logging"),
    (r#"SecRule ARGS "a" "id:1,dney""#, "1: rule 1: unknown action \"dney\" (did you mean deny?)"),
    (r#"SecRule ARGS "a" "id:1,exec:/bin/x""#, "1: rule 1: action exec is not supported: no programs are run in the path of a request; events are for that"),
    (r#"SecRule ARGS "a" "id:1,t:lowercas""#, "1: rule 1: unknown transformation t:\"lowercas\""),
    (r#"SecRule ARGS "a" "id:1,status:99""#, "1: rule 1: status:\"99\": expected 100 to 599"),
    (r#"SecRule ARGS "a" "id:1,severity:8""#, "1: rule 1: severity:\"8\": expected 0 to 7 or a name as CRITICAL"),
    (r#"SecRule ARGS "a" "id:1,setvar:args.a=1""#, "1: rule 1: setvar:\"args.a\": ARGS cannot be written; expected tx, ip, global, session, user or resource"),
    (r#"SecRule ARGS "a" "id:1,ctl:ruleRemoveByld=1""#, "1: rule 1: ctl:ruleRemoveByld: unknown (did you mean ruleRemoveById?)"),
    (r#"SecRule ARGS "a" "id:1,ctl:ruleRemoveTargetById=2""#, "1: rule 1: ctl:ruleRemoveTargetById: \"2\": expected a variable behind a semicolon, as 942100;ARGS:name"),
    (r#"SecRule ARGS "a" "id:1,skipAfter:END""#, "1: rule 1: skipAfter:END: there is no such SecMarker after the rule; write one"),
    ("SecAction id:1\nSecMarker A\nSecAction id:2,skipAfter:A", "3: rule 2: skipAfter:A: there is no such SecMarker after the rule; write one"),
    ("SecAction id:1\nSecAction id:1", "2: rule 1: the id is taken by the rule at text:1; give each rule one of its own"),
    // Chains and defaults.
    ("SecRule ARGS a id:1,chain", "1: rule 1: the chain has no next rule: the file ends; write a SecRule behind it or take `chain` away"),
    ("SecRule ARGS a id:1,chain\nSecMarker b", "1: rule 1: the chain has no next rule: \"SecMarker\" stands at line 2; write a SecRule behind it or take `chain` away"),
    ("SecRule ARGS a id:1,chain\nSecRule ARGS b id:2", "2: rule 1: id in a later rule of a chain; expected in its first rule: move it there"),
    ("SecRule ARGS a id:1,chain\nSecRule ARGS b deny", "2: rule 1: deny in a later rule of a chain; expected in its first rule: move it there"),
    ("SecDefaultAction log,pass", "1: SecDefaultAction: no phase; expected \"phase:2,log,auditlog,pass\""),
    ("SecDefaultAction phase:1,msg:x", "1: msg in SecDefaultAction; expected what many rules share, as phase, log, pass or deny"),
    // Changes.
    ("SecRuleRemoveById abc", "1: \"abc\": expected an id or a range of ids, as 942100 or 942100-942199"),
    ("SecRuleRemoveByTag a(", "1: \"a(\": expected an expression, in which . ( [ * + ? are special"),
    ("SecAction id:1\nSecRuleUpdateActionById 1 id:2", "2: id cannot be changed; remove the rule with SecRuleRemoveById and write it anew"),
];

#[test]
fn each_mistake_is_told_with_its_place_and_what_to_do() {
    for (text, expected) in TABLE {
        let errors = load_text(text).map(|_| ()).expect_err(text);
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        assert_eq!(errors[0].to_string(), format!("text:{expected}"), "{text}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let errors =
        load_text("SecRule ARG \"@nope\" \"id:7,dney,msg:'%{nope}'\"\nSecMarker ok\nSecFoo\n").unwrap_err();
    let shown: Vec<_> = errors.iter().map(|error| (error.line, error.rule)).collect();
    assert_eq!(shown, [(1, Some(7)), (1, Some(7)), (1, Some(7)), (1, Some(7)), (3, None)]);
}

#[test]
fn after_fifty_the_rest_is_counted() {
    let errors = load_text(&"SecFoo\n".repeat(70)).unwrap_err();
    assert_eq!(errors.len(), 51);
    assert!(errors[50].message.starts_with("and 20 more"), "{}", errors[50]);
}

#[test]
fn what_has_no_effect_here_is_noted_with_its_reason() {
    let set = load_text("SecTmpDir /tmp\nSecAction id:1,xmlns:a=b\nSecRuleRemoveById 9\n# a \\\nSecMarker x")
        .unwrap();
    let notes: Vec<_> = set.notes.iter().map(|(span, note)| format!("{}: {note}", span.line)).collect();
    assert_eq!(
        notes,
        [
            "1: SecTmpDir has no effect here: uploads are looked at in memory and never written to a disk",
            "2: xmlns has no effect here: XML:/* and XML://@* need no namespaces",
            "3: no rule above this line is meant: it changes only what was read before it",
            "4: this comment ends in a backslash, which makes the next line a part of it",
        ]
    );
    assert!(set.items.len() == 1, "the marker is part of the comment");
}
