//! Every name of the language is read to the thing that it names.
#![allow(clippy::unwrap_used, clippy::panic)]

use secbeat_seclang::*;

/// The one rule of a text, as debug output shows it.
fn only(text: &str) -> Rule {
    let set = load_text(text).unwrap_or_else(|errors| panic!("{text}: {}", errors[0]));
    match set.items.into_iter().next() {
        Some(Item::Rule(rule)) => *rule,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn operators() {
    #[rustfmt::skip]
    let table = [
        ("a b", "Rx("), ("@rx a", "Rx("), ("@RX a", "Rx("), ("@rxGlobal a", "RxGlobal("), ("@pm a b", "Pm("),
        ("@beginsWith a", "BeginsWith("), ("@contains a", "Contains("), ("@containsWord a", "ContainsWord("),
        ("@endsWith a", "EndsWith("), ("@streq a", "StrEq("), ("@strmatch a", "StrMatch("), ("@within a", "Within("),
        ("@eq 1", "Compare(Eq"), ("@ge 1", "Compare(Ge"), ("@gt -1", "Compare(Gt"), ("@le %{tx.a}", "Compare(Le"),
        ("@lt 1", "Compare(Lt"), ("@ipMatch ::1", "IpMatch("), ("@validateByteRange 9,10,13,32-126", "ValidateByteRange("),
        ("@validateUrlEncoding", "ValidateUrlEncoding"), ("@validateUtf8Encoding", "ValidateUtf8Encoding"),
        ("@verifyCC \\d+", "VerifyCreditCard("), ("@verifySSN \\d+", "VerifySsn("), ("@verifyCPF \\d+", "VerifyCpf("),
        ("@detectSQLi", "DetectSqli"), ("@detectXSS ", "DetectXss"), ("@geoLookup", "GeoLookup"),
        ("@rbl dnsbl.example", "Rbl("), ("@unconditionalMatch", "UnconditionalMatch"), ("@noMatch", "NoMatch"),
    ];
    for (text, expected) in table {
        for (not, negated) in [("", false), ("!", true)] {
            let rule = only(&format!("SecRule ARGS \"{not}{text}\" id:1"));
            let test = rule.links[0].test.as_ref().unwrap();
            assert_eq!(test.negated, negated, "{text}");
            assert!(format!("{:?}", test.operator).starts_with(expected), "{text}: {:?}", test.operator);
        }
    }
}

#[test]
fn the_bytes_that_may_be_are_a_bit_each() {
    let rule = only("SecRule ARGS \"@validateByteRange 0, 63-64,255\" id:1");
    match &rule.links[0].test.as_ref().unwrap().operator {
        Operator::ValidateByteRange(bits) => assert_eq!(**bits, [1 | 1 << 63, 1, 0, 1 << 63]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn steps() {
    #[rustfmt::skip]
    let table = [
        ("setvar:tx.a", "SetVar"), ("expirevar:ip.a=60", "ExpireVar"), ("initcol:ip=%{REMOTE_ADDR}", "InitCol(Ip"),
        ("setuid:%{ARGS.u}", "SetUid"), ("setsid:x", "SetSid"), ("setrsc:x", "SetRsc"), ("setenv:a=b", "SetEnv"),
        ("sanitiseArg:password", "Sanitise(Args"), ("sanitiseMatched", "Sanitise(MatchedVar"),
        ("sanitiseRequestHeader:Authorization", "Sanitise(RequestHeaders"),
        ("ctl:auditEngine=RelevantOnly", "Ctl(AuditEngine(DetectionOnly"), ("ctl:auditLogParts=+E", "Ctl(AuditLogParts"),
        ("ctl:forceRequestBodyVariable=On", "Ctl(ForceRequestBodyVariable(true"),
        ("ctl:requestBodyAccess=Off", "Ctl(RequestBodyAccess(false"), ("ctl:requestBodyLimit=9", "Ctl(RequestBodyLimit(9"),
        ("ctl:requestBodyProcessor=json", "Ctl(RequestBodyProcessor(\"JSON\""),
        ("ctl:responseBodyAccess=On", "Ctl(ResponseBodyAccess(true"), ("ctl:responseBodyLimit=9", "Ctl(ResponseBodyLimit(9"),
        ("ctl:ruleEngine=DetectionOnly", "Ctl(RuleEngine(DetectionOnly"), ("ctl:ruleRemoveById=1-9", "Ctl(RuleRemoveById(1, 9"),
        ("ctl:ruleRemoveByTag=attack-.*", "Ctl(RuleRemoveByTag(\"attack-.*\""), ("ctl:ruleRemoveByMsg=x", "Ctl(RuleRemoveByMsg"),
        ("ctl:ruleRemoveTargetById=1;ARGS:a", "Ctl(RuleRemoveTargetById(1, 1"),
        ("ctl:ruleRemoveTargetByTag=CRS;!XML", "Ctl(RuleRemoveTargetByTag(\"CRS\", Target { variable: Xml, selector: All"),
        ("ctl:ruleRemoveTargetByMsg=x;REQUEST_COOKIES", "Ctl(RuleRemoveTargetByMsg"),
    ];
    for (text, expected) in table {
        let rule = only(&format!("SecAction \"id:1,{text}\""));
        let shown = format!("{:?}", rule.links[0].steps);
        assert!(shown.starts_with(&format!("[{expected}")), "{text}: {shown}");
    }
}

#[test]
fn what_becomes_of_the_request() {
    let scopes = [
        ("allow", AllowScope::All),
        ("allow:phase", AllowScope::Phase),
        ("allow:'request'", AllowScope::Request),
    ];
    for (text, scope) in scopes {
        assert_eq!(only(&format!("SecAction id:1,{text}")).actions.disruptive, Disruptive::Allow(scope));
    }
    assert_eq!(only("SecAction id:1,drop").actions.disruptive, Disruptive::Drop);
    let rule = only(
        "SecAction \"id:'1',phase:'logging',severity:'ERROR',rev:'2',ver:'a/1',maturity:9,accuracy:8,skip:3\"",
    );
    assert_eq!((rule.actions.phase, rule.actions.severity, rule.actions.skip), (Phase::Logging, Some(3), 3));
    assert_eq!((rule.actions.maturity, rule.actions.accuracy), (Some(9), Some(8)));
    assert_eq!(rule.actions.ver.as_deref(), Some("a/1"));
}

#[test]
fn every_variable_is_read_by_its_name_and_printed_under_it() {
    for variable in Variable::all().filter(|variable| *variable != Variable::Xml) {
        let selector = if variable.is_collection() { ":a" } else { "" };
        let written = format!("{}{selector}", variable.name());
        let rule = only(&format!("SecRule {} a id:1", written.to_ascii_lowercase()));
        assert_eq!(rule.links[0].test.as_ref().unwrap().targets[0].to_string(), written);
    }
}

#[test]
fn directives() {
    let set = load_text(
        "secRequestBodyNoFilesLimit 1\nSecRequestBodyLimitAction ProcessPartial\nSecResponseBodyLimitAction Reject\n\
         SecResponseBodyMimeTypesClear\nSecResponseBodyMimeType Text/HTML text/xml\nSecCollectionTimeout 600\n\
         SecArgumentSeparator ;\nSecArgumentsLimit 5\nSecUploadFileLimit 3\nSecWebAppId app\nSecServerSignature x\n\
         SecAuditLog /a\nSecAuditLogParts ABZ\nSecComponentSignature one\nSecComponentSignature two\nSecResponseBodyLimit 7",
    )
    .unwrap();
    let d = &set.directives;
    assert_eq!((d.request_body_no_files_limit, d.response_body_limit), (Some(1), Some(7)));
    assert_eq!((d.request_body_limit_rejects, d.response_body_limit_rejects), (Some(false), Some(true)));
    let types: Vec<_> = d.response_mime_types.iter().flatten().map(|name| &**name).collect();
    assert_eq!(types, ["text/html", "text/xml"]);
    assert_eq!((d.collection_timeout_s, d.argument_separator), (Some(600), Some(b';')));
    assert_eq!((d.arguments_max, d.upload_files_max), (Some(5), Some(3)));
    assert_eq!(d.component_signatures.len(), 2);
    assert!(set.notes.is_empty(), "{:?}", set.notes);
}
