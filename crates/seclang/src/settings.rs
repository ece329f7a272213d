//! Directives that are no rules: what is acted on, what has no effect here, what is refused.

use crate::Directives;
use crate::ctl::{audit_engine, audit_parts, engine_mode, number, on_off};
use crate::suggest::{nearest, quoted};
use std::borrow::Cow;

type Arguments<'a> = &'a [Cow<'a, str>];

/// What becomes of a directive.
enum Kind {
    /// It is acted on.
    Acts(fn(&mut Directives, Arguments<'_>) -> Result<(), String>),
    /// It is accepted and does nothing, because of this.
    Inert(&'static str),
    /// `Off` (or 0) is accepted; anything else is refused, because of this.
    OffOnly(&'static str),
    /// It is refused, because of this.
    Refused(&'static str),
}

use Kind::{Acts, Inert, OffOnly, Refused};

const LOGGED_BY_THE_NODE: &str = "the node writes its audit log by its own settings";
const NO_FILES: &str = "uploads are looked at in memory and never written to a disk";
const NO_SIGNING: &str = "links are not signed here; take the directive away";
const OWN_LIMITS: &str =
    "expressions run in linear time; a request's budget of work is the node's `on_budget`";
const CONNECTIONS: &str = "connections and their deadlines are limited by the node's settings";

#[rustfmt::skip]
const TABLE: &[(&str, Kind)] = &[
    ("SecArgumentSeparator", Acts(|d, a| separator(one(a)?).map(|byte| d.argument_separator = Some(byte)))),
    ("SecArgumentsLimit", Acts(|d, a| number(one(a)?).map(|n| d.arguments_max = Some(n)))),
    ("SecAuditEngine", Acts(|d, a| audit_engine(one(a)?).map(|mode| d.audit_engine = Some(mode)))),
    ("SecAuditLog", Acts(|d, a| one(a).map(|path| d.audit_log = Some(path.into())))),
    ("SecAuditLog2", Inert(LOGGED_BY_THE_NODE)),
    ("SecAuditLogDirMode", Inert(LOGGED_BY_THE_NODE)),
    ("SecAuditLogFileMode", Inert(LOGGED_BY_THE_NODE)),
    ("SecAuditLogFormat", Inert("the audit log is JSON")),
    ("SecAuditLogParts", Acts(|d, a| audit_parts(one(a)?).map(|parts| d.audit_log_parts = Some(parts)))),
    ("SecAuditLogPrefix", Inert(LOGGED_BY_THE_NODE)),
    ("SecAuditLogRelevantStatus", Acts(|d, a| one(a).map(|re| d.audit_log_relevant_status = Some(re.into())))),
    ("SecAuditLogStorageDir", Inert(LOGGED_BY_THE_NODE)),
    ("SecAuditLogType", Inert(LOGGED_BY_THE_NODE)),
    ("SecCacheTransformations", Inert("what a transformation gives is always shared")),
    ("SecChrootDir", Inert("the node confines itself; see `[node] sandbox`")),
    ("SecCollectionTimeout", Acts(|d, a| number(one(a)?).map(|n| d.collection_timeout_s = Some(n)))),
    ("SecComponentSignature", Acts(|d, a| one(a).map(|text| d.component_signatures.push(text.into())))),
    ("SecConnEngine", Inert(CONNECTIONS)),
    ("SecConnReadStateLimit", Inert(CONNECTIONS)),
    ("SecConnWriteStateLimit", Inert(CONNECTIONS)),
    ("SecContentInjection", OffOnly("answers are not rewritten; write Off")),
    ("SecCookieFormat", OffOnly("cookies are read as browsers send them, in version 0; write 0")),
    ("SecCookieV0Separator", Inert("cookies are parted at the semicolon")),
    ("SecDataDir", Inert("collections are kept in memory")),
    ("SecDebugLog", Inert("the node has one log, and `secbeat rule test` explains a request")),
    ("SecDebugLogLevel", Inert("the node has one log, and `secbeat rule test` explains a request")),
    ("SecDisableBackendCompression", Inert("compressed answers are inspected")),
    ("SecGeoLookupDb", Inert("there is no data base of places, and @geoLookup never holds")),
    ("SecGsbLookupDb", Refused("the service is gone; take the directive away")),
    ("SecGuardianLog", Inert("the node limits rates itself")),
    ("SecHashEngine", OffOnly(NO_SIGNING)),
    ("SecHashKey", Refused(NO_SIGNING)),
    ("SecHashMethodPm", Refused(NO_SIGNING)),
    ("SecHashMethodRx", Refused(NO_SIGNING)),
    ("SecHashParam", Refused(NO_SIGNING)),
    ("SecHttpBlKey", Inert("a request waits for no name server, and @rbl never holds")),
    ("SecInterceptOnError", Inert("a rule that cannot run is refused when it is read")),
    ("SecParseXmlIntoArgs", OffOnly("XML is looked at by XML:/* and XML://@*; write Off")),
    ("SecPcreMatchLimit", Inert(OWN_LIMITS)),
    ("SecPcreMatchLimitRecursion", Inert(OWN_LIMITS)),
    ("SecReadStateLimit", Inert(CONNECTIONS)),
    ("SecRemoteRules", Refused("nothing is fetched from elsewhere; download the rules and Include them")),
    ("SecRemoteRulesFailAction", Inert("nothing is fetched from elsewhere")),
    ("SecRequestBodyAccess", Acts(|d, a| on_off(one(a)?).map(|on| d.request_body_access = Some(on)))),
    ("SecRequestBodyInMemoryLimit", Inert("bodies under inspection are held in memory")),
    ("SecRequestBodyJsonDepthLimit", Acts(|d, a| number(one(a)?).map(|n| d.json_depth_max = Some(n)))),
    ("SecRequestBodyLimit", Acts(|d, a| number(one(a)?).map(|n| d.request_body_limit = Some(n)))),
    ("SecRequestBodyLimitAction", Acts(|d, a| rejects(one(a)?).map(|yes| d.request_body_limit_rejects = Some(yes)))),
    ("SecRequestBodyNoFilesLimit", Acts(|d, a| number(one(a)?).map(|n| d.request_body_no_files_limit = Some(n)))),
    ("SecRequestEncoding", Refused("arguments are UTF-8 or what their bytes are; take the directive away")),
    ("SecResponseBodyAccess", Acts(|d, a| on_off(one(a)?).map(|on| d.response_body_access = Some(on)))),
    ("SecResponseBodyLimit", Acts(|d, a| number(one(a)?).map(|n| d.response_body_limit = Some(n)))),
    ("SecResponseBodyLimitAction", Acts(|d, a| rejects(one(a)?).map(|yes| d.response_body_limit_rejects = Some(yes)))),
    ("SecResponseBodyMimeType", Acts(mime_types)),
    ("SecResponseBodyMimeTypesClear", Acts(|d, _| { d.response_mime_types = Some(Vec::new()); Ok(()) })),
    ("SecRuleEngine", Acts(|d, a| engine_mode(one(a)?).map(|mode| d.rule_engine = Some(mode)))),
    ("SecRuleInheritance", Inert("rules are for every site; sites have exceptions of their own")),
    ("SecRulePerfTime", Inert("times are metrics here")),
    ("SecRuleScript", Refused("no scripts are run in the path of a request; write the check as a SecRule")),
    ("SecSensorId", Inert("the node has a name in its settings")),
    ("SecServerSignature", Acts(|d, a| one(a).map(|text| d.server_signature = Some(text.into())))),
    ("SecStatusEngine", Inert("nobody is told of this machine")),
    ("SecStreamInBodyInspection", OffOnly("bodies are not rewritten; look at REQUEST_BODY, and write Off")),
    ("SecStreamOutBodyInspection", OffOnly("bodies are not rewritten; look at RESPONSE_BODY, and write Off")),
    ("SecTmpDir", Inert(NO_FILES)),
    ("SecTmpSaveUploadedFiles", Inert(NO_FILES)),
    ("SecUnicodeCodePage", Acts(|d, a| code_page(d, one(a)?))),
    ("SecUnicodeMapFile", Acts(|d, a| match a { [_, page] => code_page(d, page), _ => Err("expected a file and a code page, as unicode.mapping 20127".into()) })),
    ("SecUploadDir", Inert(NO_FILES)),
    ("SecUploadFileLimit", Acts(|d, a| number(one(a)?).map(|n| d.upload_files_max = Some(n)))),
    ("SecUploadFileMode", Inert(NO_FILES)),
    ("SecUploadKeepFiles", Inert(NO_FILES)),
    ("SecWebAppId", Acts(|d, a| one(a).map(|text| d.webapp_id = Some(text.into())))),
    ("SecWriteStateLimit", Inert(CONNECTIONS)),
    ("SecXmlExternalEntity", OffOnly("a document cannot make the node read something else; write Off")),
];

/// The directives that rules are made of; see `load`.
const RULES: &[&str] = &[
    "Include",
    "IncludeOptional",
    "SecAction",
    "SecDefaultAction",
    "SecMarker",
    "SecRule",
    "SecRuleRemoveById",
    "SecRuleRemoveByMsg",
    "SecRuleRemoveByTag",
    "SecRuleUpdateActionById",
    "SecRuleUpdateTargetById",
    "SecRuleUpdateTargetByMsg",
    "SecRuleUpdateTargetByTag",
];

/// Carries out a directive. `Ok(Some)`: what its author should know.
pub(crate) fn set(
    directives: &mut Directives,
    name: &str,
    arguments: Arguments<'_>,
) -> Result<Option<String>, String> {
    let Some((name, kind)) = TABLE.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
        let names = TABLE.iter().map(|(known, _)| *known).chain(RULES.iter().copied());
        return Err(format!("unknown directive {}{}", quoted(name), nearest(name, names)));
    };
    match kind {
        Acts(act) => act(directives, arguments).map(|()| None).map_err(|error| format!("{name}: {error}")),
        Inert(reason) => Ok(Some(format!("{name} has no effect here: {reason}"))),
        OffOnly(_) if arguments.first().is_some_and(|a| matches!(&*a.to_ascii_lowercase(), "off" | "0")) => {
            Ok(None)
        }
        OffOnly(reason) | Refused(reason) => Err(format!("{name} is not supported: {reason}")),
    }
}

fn one<'a>(arguments: Arguments<'a>) -> Result<&'a str, String> {
    match arguments {
        [argument] => Ok(argument),
        _ => Err(format!("expected one value, found {}", arguments.len())),
    }
}

fn separator(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] => Ok(*byte),
        _ => Err(format!("{}: expected one character, as &", quoted(text))),
    }
}

fn rejects(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "reject" => Ok(true),
        "processpartial" => Ok(false),
        _ => Err(format!("{}: expected Reject or ProcessPartial", quoted(text))),
    }
}

fn mime_types(directives: &mut Directives, arguments: Arguments<'_>) -> Result<(), String> {
    if arguments.is_empty() {
        return Err("expected types, as text/html text/plain".into());
    }
    let words = arguments.iter().flat_map(|argument| argument.split_ascii_whitespace());
    let types = directives.response_mime_types.get_or_insert_default();
    types.extend(words.map(|word| word.to_ascii_lowercase().into()));
    Ok(())
}

fn code_page(directives: &mut Directives, text: &str) -> Result<(), String> {
    match number::<u32>(text)? {
        20127 => {
            directives.unicode_code_page = Some(20127);
            Ok(())
        }
        other => Err(format!("code page {other} is not supported; only 20127 (ASCII) is built in")),
    }
}
