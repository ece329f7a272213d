//! `ctl`: what a match changes for the rest of the transaction.

use crate::edit::id_range;
use crate::suggest::{nearest, quoted};
use crate::target::parse_removed;
use crate::{Ctl, EngineMode};
use std::sync::Arc;

const NAMES: &[&str] = &[
    "auditEngine",
    "auditLogParts",
    "forceRequestBodyVariable",
    "requestBodyAccess",
    "requestBodyLimit",
    "requestBodyProcessor",
    "responseBodyAccess",
    "responseBodyLimit",
    "ruleEngine",
    "ruleRemoveById",
    "ruleRemoveByMsg",
    "ruleRemoveByTag",
    "ruleRemoveTargetById",
    "ruleRemoveTargetByMsg",
    "ruleRemoveTargetByTag",
];

/// Reads `ruleRemoveById=942100`; `None`: it has no effect here.
pub(crate) fn parse_ctl(text: &str) -> Result<Option<Ctl>, String> {
    let (name, value) = text
        .split_once('=')
        .map(|(name, value)| (name.trim_ascii(), value.trim_ascii()))
        .filter(|(_, value)| !value.is_empty())
        .ok_or_else(|| format!("ctl:{}: expected name=value, as ruleRemoveById=942100", quoted(text)))?;
    let ctl = read(name, value).map_err(|error| format!("ctl:{name}: {error}"))?;
    Ok(ctl)
}

fn read(name: &str, value: &str) -> Result<Option<Ctl>, String> {
    let ctl = match name.to_ascii_lowercase().as_str() {
        "auditengine" => Ctl::AuditEngine(audit_engine(value)?),
        "auditlogparts" => Ctl::AuditLogParts(audit_parts(value)?),
        "forcerequestbodyvariable" => Ctl::ForceRequestBodyVariable(on_off(value)?),
        "requestbodyaccess" => Ctl::RequestBodyAccess(on_off(value)?),
        "requestbodylimit" => Ctl::RequestBodyLimit(number(value)?),
        "requestbodyprocessor" => Ctl::RequestBodyProcessor(body_processor(value)?),
        "responsebodyaccess" => Ctl::ResponseBodyAccess(on_off(value)?),
        "responsebodylimit" => Ctl::ResponseBodyLimit(number(value)?),
        "ruleengine" => Ctl::RuleEngine(engine_mode(value)?),
        "ruleremovebyid" => {
            let (first, last) = id_range(value)?;
            Ctl::RuleRemoveById(first, last)
        }
        "ruleremovebytag" => Ctl::RuleRemoveByTag(expression(value)?),
        "ruleremovebymsg" => Ctl::RuleRemoveByMsg(expression(value)?),
        "ruleremovetargetbyid" => {
            let (ids, target) = named_target(value)?;
            let (first, last) = id_range(ids)?;
            Ctl::RuleRemoveTargetById(first, last, parse_removed(target)?)
        }
        "ruleremovetargetbytag" => {
            let (tag, target) = named_target(value)?;
            Ctl::RuleRemoveTargetByTag(expression(tag)?, parse_removed(target)?)
        }
        "ruleremovetargetbymsg" => {
            let (msg, target) = named_target(value)?;
            Ctl::RuleRemoveTargetByMsg(expression(msg)?, parse_removed(target)?)
        }
        "debugloglevel" => return Ok(None),
        "hashengine" | "hashenforcement" => return Err("is not supported: links are not signed here".into()),
        "parsexmlintoargs" if value.eq_ignore_ascii_case("off") => return Ok(None),
        "parsexmlintoargs" => return Err("is not supported: look at XML:/* and XML://@*".into()),
        _ => return Err(format!("unknown{}", nearest(name, NAMES.iter().copied()))),
    };
    Ok(Some(ctl))
}

fn named_target(value: &str) -> Result<(&str, &str), String> {
    value.split_once(';').map(|(name, target)| (name.trim_ascii(), target.trim_ascii())).ok_or_else(|| {
        format!("{}: expected a variable behind a semicolon, as 942100;ARGS:name", quoted(value))
    })
}

/// An expression over tags or messages, found valid.
fn expression(text: &str) -> Result<Arc<str>, String> {
    if text.contains(regex_syntax) {
        crate::edit::matcher(text)?;
    }
    Ok(text.into())
}

/// What may make an expression invalid; names of tags, of which there are hundreds, hold none of it.
fn regex_syntax(c: char) -> bool {
    "\\.+*?()|[]{}^$".contains(c)
}

pub(crate) fn on_off(value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "on" | "true" | "1" => Ok(true),
        "off" | "false" | "0" => Ok(false),
        _ => Err(format!("{}: expected On or Off", quoted(value))),
    }
}

pub(crate) fn number<N: std::str::FromStr>(value: &str) -> Result<N, String> {
    value.parse().map_err(|_| format!("{}: expected a whole number", quoted(value)))
}

pub(crate) fn engine_mode(value: &str) -> Result<EngineMode, String> {
    match value.to_ascii_lowercase().as_str() {
        "on" => Ok(EngineMode::On),
        "off" => Ok(EngineMode::Off),
        "detectiononly" => Ok(EngineMode::DetectionOnly),
        _ => Err(format!("{}: expected On, DetectionOnly or Off", quoted(value))),
    }
}

pub(crate) fn audit_engine(value: &str) -> Result<EngineMode, String> {
    match value.to_ascii_lowercase().as_str() {
        "on" => Ok(EngineMode::On),
        "off" => Ok(EngineMode::Off),
        "relevantonly" => Ok(EngineMode::DetectionOnly),
        _ => Err(format!("{}: expected On, RelevantOnly or Off", quoted(value))),
    }
}

/// `ABIJDEFHZ`, `+E`, `-C`.
pub(crate) fn audit_parts(value: &str) -> Result<Arc<str>, String> {
    let letters = value.strip_prefix(['+', '-']).unwrap_or(value);
    if letters.bytes().all(|letter| (b'A'..=b'K').contains(&letter) || letter == b'Z') {
        Ok(value.into())
    } else {
        Err(format!("{}: expected letters of ABCDEFGHIJKZ", quoted(value)))
    }
}

fn body_processor(value: &str) -> Result<Arc<str>, String> {
    const PROCESSORS: [&str; 4] = ["URLENCODED", "MULTIPART", "XML", "JSON"];
    PROCESSORS
        .iter()
        .find(|known| known.eq_ignore_ascii_case(value))
        .map(|known| Arc::from(*known))
        .ok_or_else(|| format!("{}: expected URLENCODED, MULTIPART, XML or JSON", quoted(value)))
}
