//! What rules come to: defaults, chains, changes, files.
#![allow(clippy::unwrap_used, clippy::panic)]

use secbeat_seclang::*;
use secbeat_transform::Transformation as T;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

fn read(text: &str) -> RuleSet {
    load_text(text).unwrap_or_else(|errors| panic!("{text}: {}", errors[0]))
}

fn rule(set: &RuleSet, id: u64) -> &Rule {
    let mut rules = set.items.iter().filter_map(|item| match item {
        Item::Rule(rule) if rule.actions.id == id => Some(&**rule),
        _ => None,
    });
    rules.next().unwrap_or_else(|| panic!("no rule {id}"))
}

fn test(set: &RuleSet, id: u64) -> &Test {
    rule(set, id).links[0].test.as_ref().unwrap()
}

fn targets(test: &Test) -> Vec<String> {
    test.targets.iter().map(ToString::to_string).collect()
}

fn rx(test: &Test) -> String {
    match &test.operator {
        Operator::Rx(text) => text.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn targets_are_read_in_order_with_counts_exclusions_and_selectors() {
    let set = read(
        r#"SecRule "ARGS|!ARGS:/^a|b\/c$/ | &request_headers:Host|TX:'/x y/'|XML://@*,ARGS:'it\'s'" "a" "id:1""#,
    );
    let test = test(&set, 1);
    assert_eq!(
        targets(test),
        ["ARGS", "!ARGS:/^a|b\\/c$/", "&REQUEST_HEADERS:Host", "TX:/x y/", "XML://@*", "ARGS:it's"]
    );
    assert_eq!(test.targets[1].selector, Selector::Pattern(r"^a|b\/c$".into()));
    assert!(test.targets[2].count && test.targets[1].excluded);
}

#[test]
fn an_expression_keeps_its_backslashes_and_four_of_them_are_two() {
    let set = read(
        r#"
        SecRule ARGS "a\"b\\/ \d" "id:1"
        SecRule ARGS "!@rx [^\\\\]\\\\c" "id:2"
        SecRule ARGS "@rx %{tx.a}%{[a-z]+}" "id:3"
    "#,
    );
    assert_eq!(rx(test(&set, 1)), r#"a"b\\/ \d"#);
    assert_eq!(rx(test(&set, 2)), r"[^\\]\\c");
    assert!(test(&set, 2).negated);
    let Operator::Rx(text) = &test(&set, 3).operator else { panic!() };
    assert_eq!(
        text.0,
        [Segment::Macro(Variable::Tx, Some("a".into())), Segment::Literal("%{[a-z]+}".into())]
    );
}

#[test]
fn defaults_are_taken_over_by_phase_and_block_is_what_they_say() {
    let set = read(
        "SecDefaultAction phase:1,log,noauditlog,deny,status:406,t:lowercase\n\
         SecRule ARGS a id:1,phase:1\n\
         SecRule ARGS a id:2,phase:1,pass,nolog,t:none,t:trim\n\
         SecRule ARGS a id:3,phase:1,status:401,block\n\
         SecRule ARGS a id:4\n\
         SecRule ARGS a id:5,redirect:http://x/%{tx.a}",
    );
    let shown: Vec<_> = (1..=5).map(|id| &rule(&set, id).actions).collect();
    assert_eq!(shown.iter().map(|actions| actions.status).collect::<Vec<_>>(), [406, 406, 401, 403, 302]);
    assert_eq!(shown[0].disruptive, Disruptive::Deny);
    assert_eq!(shown[1].disruptive, Disruptive::Pass);
    assert_eq!(shown[2].disruptive, Disruptive::Deny);
    assert_eq!(shown[3].disruptive, Disruptive::Pass, "no default for phase 2");
    assert_eq!(shown[3].phase, Phase::RequestBody);
    assert!(matches!(&shown[4].disruptive, Disruptive::Redirect(to) if to.to_string() == "http://x/%{TX.a}"));
    assert_eq!(
        shown.iter().map(|a| (a.log, a.audit_log)).collect::<Vec<_>>()[..3],
        [(true, false), (false, false), (true, false)]
    );
    assert_eq!(test(&set, 1).transformations, [T::Lowercase]);
    assert_eq!(test(&set, 2).transformations, [T::Trim]);
}

#[test]
fn a_chain_is_one_rule_with_links_each_with_its_steps() {
    let set = read(
        "SecRule ARGS a \"id:1,phase:1,deny,chain,capture,tag:'x',severity:CRITICAL,msg:'m %{TX.0}'\"\n\
         SecRule ARGS b \"t:trim,chain,setvar:tx.a=+1\"\n\
         SecAction \"setvar:'tx.b=2',ctl:ruleRemoveTargetById=5-7;ARGS:/z/\"\n\
         SecMarker M",
    );
    let rule = rule(&set, 1);
    assert_eq!((set.items.len(), rule.links.len()), (2, 3));
    assert!(rule.links[0].capture && !rule.links[1].capture && rule.links[2].test.is_none());
    assert_eq!(rule.links[1].steps.len(), 1);
    let target = Target {
        variable: Variable::Args,
        selector: Selector::Pattern("z".into()),
        count: false,
        excluded: false,
    };
    assert_eq!(rule.links[2].steps[1], Step::Ctl(Ctl::RuleRemoveTargetById(5, 7, target)));
    assert_eq!((rule.actions.severity, rule.actions.tags.len()), (Some(2), 1));
    assert_eq!(rule.actions.msg.as_ref().unwrap().to_string(), "m %{TX.0}");
}

#[test]
fn changes_touch_what_was_read_before_them() {
    let set = read(
        "SecRule ARGS a id:1,tag:'attack-sqli',msg:'SQL one'\n\
         SecRule ARGS a id:2,tag:'attack-xss',t:trim,setvar:tx.a=1\n\
         SecRule ARGS a id:3,tag:'attack-xss',chain\n SecRule ARGS b t:lowercase\n\
         SecRuleRemoveByTag sqli\n\
         SecRuleUpdateTargetByTag attack-xss \"!ARGS:q|REQUEST_HEADERS:Host\"\n\
         SecRuleUpdateTargetById 3:1 !ARGS:r\n\
         SecRuleUpdateActionById 2 \"deny,status:404,t:none,t:length,setvar:tx.b=2,nolog\"\n\
         SecRule ARGS a id:1,tag:'attack-sqli'\n\
         SecRule ARGS a id:4,msg:'gone'\n SecRule ARGS a id:5\n SecRule ARGS a id:6\n\
         SecRuleRemoveByMsg ^gone$\n\
         SecRuleRemoveById 5-9",
    );
    assert_eq!(set.items.len(), 3);
    assert_eq!(rule(&set, 1).span.line, 9, "the id was free again");
    assert_eq!(targets(test(&set, 1)), ["ARGS"]);
    assert_eq!(targets(test(&set, 2)), ["ARGS", "!ARGS:q", "REQUEST_HEADERS:Host"]);
    assert_eq!(targets(rule(&set, 3).links[1].test.as_ref().unwrap()), ["ARGS", "!ARGS:r"]);
    let two = rule(&set, 2);
    assert_eq!(
        (two.actions.disruptive.clone(), two.actions.status, two.actions.log),
        (Disruptive::Deny, 404, false)
    );
    assert_eq!(test(&set, 2).transformations, [T::Length]);
    assert_eq!(two.links[0].steps.len(), 2);
    assert_eq!(two.actions.tags.len(), 1);
}

#[test]
fn sections_for_other_modules_are_passed_over() {
    let set = read(
        "<IfModule security2_module>\n SecMarker A\n <IfModule mod_php.c>\n  Nonsense\n </IfModule>\n</IfModule>\n\
         <IfModule !mod_security3.c>\n SecMarker B\n</IfModule>\nSecMarker C",
    );
    let names: Vec<_> = set.items.iter().map(|item| format!("{item:?}")).collect();
    assert_eq!(names, ["Marker(\"A\")", "Marker(\"C\")"]);
    assert_eq!(set.notes.len(), 2);
}

/// Files in memory.
struct Files(BTreeMap<PathBuf, String>);

impl Sources for Files {
    fn read(&self, path: &Path, _: usize) -> io::Result<Vec<u8>> {
        self.0.get(path).map(|text| text.clone().into_bytes()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn glob(&self, pattern: &Path) -> io::Result<Vec<PathBuf>> {
        let alike =
            |path: &&PathBuf| path.parent() == pattern.parent() && path.extension() == pattern.extension();
        Ok(self.0.keys().rev().filter(alike).cloned().collect())
    }
}

fn files(files: &[(&str, &str)]) -> Result<RuleSet, Vec<Error>> {
    let entry = Entry::File(files[0].0.into());
    load(&Files(files.iter().map(|(path, text)| (path.into(), (*text).to_owned())).collect()), &[entry])
}

#[test]
fn files_are_relative_to_the_file_that_names_them_and_sorted() {
    let set = files(&[
        (
            "/a/main.conf",
            "Include rules/*.conf\nIncludeOptional no.conf\nIncludeOptional x/*.conf\nSecMarker END",
        ),
        ("/a/rules/2.conf", "SecRule ARGS \"@pmFromFile words\" id:2,skipAfter:END"),
        ("/a/rules/1.conf", "SecAction id:1\nSecRule ARGS \"@ipMatchFromFile nets\" id:3"),
        ("/a/rules/words", "one\n# no\ntwo words\n"),
        ("/a/rules/nets", "10.0.0.0/8 # ours\n::1"),
    ])
    .unwrap();
    assert_eq!(
        set.files.iter().map(|file| &**file).collect::<Vec<_>>(),
        ["/a/main.conf", "/a/rules/1.conf", "/a/rules/2.conf"]
    );
    assert!(matches!(&test(&set, 2).operator, Operator::Pm(phrases) if phrases.len() == 2));
    assert!(matches!(&test(&set, 3).operator, Operator::IpMatch(networks) if networks.len() == 2));
    assert_eq!(rule(&set, 2).span, Span { file: 2, line: 1 });
}

#[test]
fn a_file_that_includes_itself_is_refused_where_it_does() {
    let errors = files(&[("/a", "Include /b"), ("/b", "\nInclude /a\nSecMarker x")]).unwrap_err();
    let shown: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["/b:2: /a includes itself; take one Include away"]);
}

#[test]
fn the_recommended_configuration_of_modsecurity_loads() {
    let set = read(include_str!("modsecurity.conf-recommended"));
    let directives = &set.directives;
    assert_eq!(directives.rule_engine, Some(EngineMode::DetectionOnly));
    assert_eq!(directives.request_body_limit, Some(13_107_200));
    assert_eq!(directives.request_body_limit_rejects, Some(true));
    assert_eq!(directives.audit_engine, Some(EngineMode::DetectionOnly));
    assert_eq!(directives.unicode_code_page, Some(20127));
    assert_eq!(directives.response_mime_types.as_ref().unwrap().len(), 3);
    assert_eq!(set.items.len(), 7);
    let msg = rule(&set, 200_003).actions.msg.as_ref().unwrap();
    assert_eq!(msg.0.iter().filter(|segment| matches!(segment, Segment::Macro(..))).count(), 12);
}
