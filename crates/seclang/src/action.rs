//! What one action does to a rule that is being read.

use crate::action_list::Written;
use crate::ctl::{number, parse_ctl};
use crate::draft::{Defaults, Draft};
use crate::step;
use crate::suggest::{nearest, quoted};
use crate::{AllowScope, Disruptive, Phase, Step, Text, Variable};
use secbeat_transform::Transformation;

/// Where actions stand: not each is at home everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A rule that stands alone or leads a chain.
    Head,
    /// A later rule of a chain.
    Link,
    /// `SecDefaultAction`.
    Default,
    /// `SecRuleUpdateActionById`.
    Update,
}

const NAMES: &[&str] = &[
    "accuracy",
    "allow",
    "auditlog",
    "block",
    "capture",
    "chain",
    "ctl",
    "deny",
    "drop",
    "expirevar",
    "id",
    "initcol",
    "log",
    "logdata",
    "maturity",
    "msg",
    "multiMatch",
    "noauditlog",
    "nolog",
    "pass",
    "phase",
    "redirect",
    "rev",
    "sanitiseArg",
    "sanitiseMatched",
    "sanitiseMatchedBytes",
    "sanitiseRequestHeader",
    "sanitiseResponseHeader",
    "setenv",
    "setrsc",
    "setsid",
    "setuid",
    "setvar",
    "severity",
    "skip",
    "skipAfter",
    "status",
    "t",
    "tag",
    "ver",
    "xmlns",
];

/// Actions of ModSecurity that are not here, and what to do.
const ABSENT: &[(&str, &str)] = &[
    ("append", "answers are not rewritten"),
    ("prepend", "answers are not rewritten"),
    ("deprecatevar", "lower the variable with setvar, or let it end with expirevar"),
    ("exec", "no programs are run in the path of a request; events are for that"),
    ("pause", "a held request costs more than its answer; use drop, or a rate limit"),
    ("proxy", "requests go where `[[sites]]` says; use deny or redirect"),
];

/// Carries out one action. `Ok(Some)`: what its author should know.
pub(crate) fn apply(
    draft: &mut Draft,
    (name, value): &Written<'_>,
    place: Place,
    defaults: &Defaults,
) -> Result<Option<String>, String> {
    let lower = name.to_ascii_lowercase();
    check_place(&lower, place)?;
    let text = || match value.as_deref() {
        Some(value) => Ok(value),
        None => Err(format!("{name}: expected {name}:value")),
    };
    let actions = &mut draft.actions;
    match lower.as_str() {
        // Read before all others, because the rest depends on it.
        "id" | "phase" => {}
        // What becomes of the request.
        "block" => actions.disruptive = defaults.disruptive.clone(),
        "pass" => actions.disruptive = Disruptive::Pass,
        "deny" => actions.disruptive = Disruptive::Deny,
        "drop" => actions.disruptive = Disruptive::Drop,
        "allow" => actions.disruptive = Disruptive::Allow(allow_scope(value.as_deref())?),
        "redirect" => actions.disruptive = Disruptive::Redirect(some_text(name, text()?)?),
        "status" => actions.status = status(text()?)?,
        // What is told.
        "log" => (actions.log, actions.audit_log) = (true, true),
        "nolog" => (actions.log, actions.audit_log) = (false, false),
        "auditlog" => actions.audit_log = true,
        "noauditlog" => actions.audit_log = false,
        "msg" => draft.msg = Some(Text::parse(text()?)?),
        "logdata" => draft.logdata = Some(Text::parse(text()?)?),
        "tag" => actions.tags.push(some_text(name, text()?)?),
        "severity" => actions.severity = Some(severity(text()?)?),
        "ver" => actions.ver = Some(text()?.into()),
        "rev" => actions.rev = Some(text()?.into()),
        "maturity" => actions.maturity = Some(number(text()?).map_err(|error| format!("maturity: {error}"))?),
        "accuracy" => actions.accuracy = Some(number(text()?).map_err(|error| format!("accuracy: {error}"))?),
        // Where it goes on.
        "chain" => draft.chain = true,
        "skip" => actions.skip = number(text()?).map_err(|error| format!("skip: {error}"))?,
        "skipafter" => actions.skip_after = Some(text()?.into()),
        // How it looks.
        "capture" => draft.capture = true,
        "multimatch" => draft.multi_match = true,
        "t" => transformation(draft, text()?)?,
        // What it changes.
        "setvar" => draft.steps.push(step::set_variable(text()?)?),
        "expirevar" => draft.steps.push(step::expire_variable(text()?)?),
        "initcol" => draft.steps.push(step::open_collection(text()?)?),
        "setuid" => draft.steps.push(Step::SetUid(some_text(name, text()?)?)),
        "setsid" => draft.steps.push(Step::SetSid(some_text(name, text()?)?)),
        "setrsc" => draft.steps.push(Step::SetRsc(some_text(name, text()?)?)),
        "setenv" => draft.steps.push(step::set_environment(text()?)?),
        "ctl" => match parse_ctl(text()?)? {
            Some(ctl) => draft.steps.push(Step::Ctl(ctl)),
            None => return Ok(Some(format!("ctl:{} has no effect here", text()?))),
        },
        "sanitisearg" | "sanitizearg" => draft.steps.push(step::sanitise(Variable::Args, Some(text()?))?),
        "sanitiserequestheader" | "sanitizerequestheader" => {
            draft.steps.push(step::sanitise(Variable::RequestHeaders, Some(text()?))?);
        }
        "sanitiseresponseheader" | "sanitizeresponseheader" => {
            draft.steps.push(step::sanitise(Variable::ResponseHeaders, Some(text()?))?);
        }
        "sanitisematched" | "sanitizematched" | "sanitisematchedbytes" | "sanitizematchedbytes" => {
            draft.steps.push(step::sanitise(Variable::MatchedVar, None)?);
        }
        "xmlns" => {
            return Ok(Some("xmlns has no effect here: XML:/* and XML://@* need no namespaces".into()));
        }
        _ => return Err(unknown(name, &lower)),
    }
    Ok(None)
}

fn check_place(name: &str, place: Place) -> Result<(), String> {
    let disruptive = matches!(name, "block" | "pass" | "deny" | "drop" | "allow" | "redirect" | "status");
    let of_the_head = disruptive
        || matches!(
            name,
            "id" | "phase"
                | "tag"
                | "severity"
                | "ver"
                | "rev"
                | "maturity"
                | "accuracy"
                | "skip"
                | "skipafter"
        );
    let of_one_rule = matches!(
        name,
        "id" | "chain"
            | "skip"
            | "skipafter"
            | "msg"
            | "logdata"
            | "tag"
            | "severity"
            | "ver"
            | "rev"
            | "maturity"
            | "accuracy"
    );
    match place {
        Place::Link if of_the_head && name != "pass" => {
            Err(format!("{name} in a later rule of a chain; expected in its first rule: move it there"))
        }
        Place::Default if of_one_rule || name == "block" => Err(format!(
            "{name} in SecDefaultAction; expected what many rules share, as phase, log, pass or deny"
        )),
        Place::Update if matches!(name, "id" | "phase" | "chain") => {
            Err(format!("{name} cannot be changed; remove the rule with SecRuleRemoveById and write it anew"))
        }
        _ => Ok(()),
    }
}

fn unknown(name: &str, lower: &str) -> String {
    match ABSENT.iter().find(|(absent, _)| *absent == lower) {
        Some((_, reason)) => format!("action {name} is not supported: {reason}"),
        None => format!("unknown action {}{}", quoted(name), nearest(name, NAMES.iter().copied())),
    }
}

fn transformation(draft: &mut Draft, name: &str) -> Result<(), String> {
    if name.eq_ignore_ascii_case("none") {
        draft.transformations.clear();
        return Ok(());
    }
    let found = Transformation::from_name(name)
        .ok_or_else(|| format!("unknown transformation t:{}", quoted(name)))?;
    draft.transformations.push(found);
    Ok(())
}

fn some_text(name: &str, value: &str) -> Result<Text, String> {
    if value.is_empty() { Err(format!("{name}: expected {name}:value")) } else { Text::parse(value) }
}

fn allow_scope(value: Option<&str>) -> Result<AllowScope, String> {
    match value.map(str::to_ascii_lowercase).as_deref() {
        None => Ok(AllowScope::All),
        Some("phase") => Ok(AllowScope::Phase),
        Some("request") => Ok(AllowScope::Request),
        Some(other) => Err(format!("allow:{}: expected allow, allow:phase or allow:request", quoted(other))),
    }
}

fn status(value: &str) -> Result<u16, String> {
    value
        .parse()
        .ok()
        .filter(|status| (100..600).contains(status))
        .ok_or_else(|| format!("status:{}: expected 100 to 599", quoted(value)))
}

/// `CRITICAL` or `2`.
fn severity(value: &str) -> Result<u8, String> {
    const LEVELS: [&str; 8] =
        ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"];
    LEVELS
        .iter()
        .zip(0_u8..)
        .find(|(name, level)| name.eq_ignore_ascii_case(value) || value.parse() == Ok(*level))
        .map(|(_, level)| level)
        .ok_or_else(|| format!("severity:{}: expected 0 to 7 or a name as CRITICAL", quoted(value)))
}

/// `1` to `5`, `request`, `response`, `logging`.
pub(crate) fn phase(value: &str) -> Result<Phase, String> {
    match value.to_ascii_lowercase().as_str() {
        "1" => Ok(Phase::RequestHeaders),
        "2" | "request" => Ok(Phase::RequestBody),
        "3" => Ok(Phase::ResponseHeaders),
        "4" | "response" => Ok(Phase::ResponseBody),
        "5" | "logging" => Ok(Phase::Logging),
        _ => Err(format!("phase:{}: expected 1 to 5, request, response or logging", quoted(value))),
    }
}
