//! Operators: `@rx …`, `!@eq 0`; no name is `@rx`.

use crate::network::{networks, networks_of_file};
use crate::phrases::{phrases, phrases_of_file};
use crate::reader::Reader;
use crate::suggest::{nearest, quoted};
use crate::{Comparison, Operator, Segment, Text};
use std::path::Path;
use std::sync::Arc;

/// An operator as read.
pub(crate) struct Read {
    /// Whether `!` stands before it.
    pub negated: bool,
    /// The operator.
    pub operator: Operator,
    /// What its author should know.
    pub note: Option<String>,
}

const NAMES: &[&str] = &[
    "beginsWith",
    "contains",
    "containsWord",
    "detectSQLi",
    "detectXSS",
    "endsWith",
    "eq",
    "ge",
    "geoLookup",
    "gt",
    "ipMatch",
    "ipMatchF",
    "ipMatchFromFile",
    "le",
    "lt",
    "noMatch",
    "pm",
    "pmf",
    "pmFromFile",
    "rbl",
    "rx",
    "rxGlobal",
    "streq",
    "strmatch",
    "unconditionalMatch",
    "validateByteRange",
    "validateUrlEncoding",
    "validateUtf8Encoding",
    "verifyCC",
    "verifyCPF",
    "verifySSN",
    "within",
];

/// Operators of ModSecurity that are not here, why, and what to do.
const ABSENT: &[(&str, &str)] = &[
    ("fuzzyhash", "no files are hashed in the path of a request"),
    ("gsblookup", "the service is gone"),
    ("inspectfile", "no programs are run in the path of a request"),
    ("rsub", "bodies are not rewritten; `sanitize` of a JSON rule takes out what it matches"),
    ("validatedtd", "XML is not validated; check what matters with XML:/*"),
    ("validatehash", "links are not signed here"),
    ("validateschema", "XML is not validated; check what matters with XML:/*"),
    ("verifysvnr", "write the pattern with @rx"),
];

/// Reads an operator with its argument; files stand beside `folder`.
pub(crate) fn parse_operator(text: &str, folder: &Path, files: &mut Reader<'_>) -> Result<Read, String> {
    let (negated, text) = match text.trim_ascii_start().strip_prefix('!') {
        Some(rest) => (true, rest.trim_ascii_start()),
        None => (false, text),
    };
    let mut note = None;
    let operator = match text.trim_ascii_start().strip_prefix('@') {
        None => Operator::Rx(expression(text)?),
        Some(named) => {
            let end = named.find(|c: char| c.is_ascii_whitespace()).unwrap_or(named.len());
            let (name, argument) = named.split_at(end);
            note = inert(name);
            named_operator(name, argument.trim_ascii_start(), folder, files)?
        }
    };
    Ok(Read { negated, operator, note })
}

fn named_operator(
    name: &str,
    argument: &str,
    folder: &Path,
    files: &mut Reader<'_>,
) -> Result<Operator, String> {
    let lower = name.to_ascii_lowercase();
    let text = || Text::parse(argument);
    let number = |comparison| number(name, argument).map(|text| Operator::Compare(comparison, text));
    let bare = |operator| {
        if argument.is_empty() {
            Ok(operator)
        } else {
            Err(format!("@{name} takes no argument; take {} away", quoted(argument)))
        }
    };
    match lower.as_str() {
        "rx" => Ok(Operator::Rx(expression(argument)?)),
        "rxglobal" => Ok(Operator::RxGlobal(expression(argument)?)),
        "pm" => phrases(argument).map(Operator::Pm),
        "pmfromfile" | "pmf" => phrase_files(argument, folder, files).map(Operator::Pm),
        "beginswith" => Ok(Operator::BeginsWith(text()?)),
        "contains" => Ok(Operator::Contains(text()?)),
        "containsword" => Ok(Operator::ContainsWord(text()?)),
        "endswith" => Ok(Operator::EndsWith(text()?)),
        "streq" => Ok(Operator::StrEq(text()?)),
        "strmatch" => Ok(Operator::StrMatch(text()?)),
        "within" => Ok(Operator::Within(text()?)),
        "eq" => number(Comparison::Eq),
        "ge" => number(Comparison::Ge),
        "gt" => number(Comparison::Gt),
        "le" => number(Comparison::Le),
        "lt" => number(Comparison::Lt),
        "ipmatch" => networks(argument).map(Operator::IpMatch).map_err(|error| format!("@ipMatch: {error}")),
        "ipmatchfromfile" | "ipmatchf" => {
            let path = file(argument, folder)?;
            networks_of_file(argument, &files.read(&path)?).map(Operator::IpMatch)
        }
        "validatebyterange" => byte_range(argument).map(|bits| Operator::ValidateByteRange(Box::new(bits))),
        "validateurlencoding" => bare(Operator::ValidateUrlEncoding),
        "validateutf8encoding" => bare(Operator::ValidateUtf8Encoding),
        "verifycc" => some_expression(name, argument).map(Operator::VerifyCreditCard),
        "verifyssn" => some_expression(name, argument).map(Operator::VerifySsn),
        "verifycpf" => some_expression(name, argument).map(Operator::VerifyCpf),
        "detectsqli" => bare(Operator::DetectSqli),
        "detectxss" => bare(Operator::DetectXss),
        "geolookup" => bare(Operator::GeoLookup),
        "rbl" => Ok(Operator::Rbl(argument.into())),
        "unconditionalmatch" => bare(Operator::UnconditionalMatch),
        "nomatch" => bare(Operator::NoMatch),
        _ => match ABSENT.iter().find(|(absent, _)| *absent == lower) {
            Some((_, reason)) => Err(format!("operator @{name} is not supported: {reason}")),
            None => {
                Err(format!("unknown operator @{}{}", quoted(name), nearest(name, NAMES.iter().copied())))
            }
        },
    }
}

/// An expression, in which macros may stand. Four backslashes are one that is meant: rules written for Apache, which
/// halves them before ModSecurity sees them, write them so (the Core Rule Set 3 does). Two stay as they are, which is how
/// ModSecurity 3 reads them.
fn expression(text: &str) -> Result<Text, String> {
    let mut text = Text::parse(text)?;
    for segment in &mut text.0 {
        if let Segment::Literal(literal) = segment
            && literal.contains(r"\\\\")
        {
            *literal = literal.replace(r"\\\\", r"\\").into();
        }
    }
    Ok(text)
}

fn some_expression(name: &str, argument: &str) -> Result<Arc<str>, String> {
    if argument.is_empty() {
        Err(format!("@{name}: expected an expression behind it"))
    } else {
        Ok(argument.into())
    }
}

fn number(name: &str, argument: &str) -> Result<Text, String> {
    let argument = argument.trim_ascii();
    let text = Text::parse(argument)?;
    match text.literal() {
        Some(literal) if literal.parse::<i64>().is_err() => {
            Err(format!("@{name} {}: expected a whole number or a macro", quoted(argument)))
        }
        _ => Ok(text),
    }
}

fn file(argument: &str, folder: &Path) -> Result<std::path::PathBuf, String> {
    if argument.starts_with("http://") || argument.starts_with("https://") {
        return Err(format!(
            "{}: nothing is fetched from elsewhere; download it and name the file",
            quoted(argument)
        ));
    }
    Ok(folder.join(argument.trim_ascii()))
}

fn phrase_files(argument: &str, folder: &Path, files: &mut Reader<'_>) -> Result<Arc<[Arc<[u8]>]>, String> {
    let mut all = Vec::new();
    for name in argument.split_ascii_whitespace() {
        let text = files.read(&file(name, folder)?)?;
        all.extend(phrases_of_file(name, &text)?.iter().cloned());
    }
    if all.is_empty() { Err("@pmFromFile: expected a file".into()) } else { Ok(all.into()) }
}

/// `1-255`, `10, 13, 32-126`: a bit for each byte that may be.
fn byte_range(argument: &str) -> Result<[u64; 4], String> {
    let mut bits = [0_u64; 4];
    for range in argument.split(',').map(str::trim_ascii) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        match (first.trim_ascii().parse::<u8>(), last.trim_ascii().parse::<u8>()) {
            (Ok(first), Ok(last)) if first <= last => {
                for byte in first..=last {
                    if let Some(word) = bits.get_mut(usize::from(byte >> 6)) {
                        *word |= 1 << (byte & 63);
                    }
                }
            }
            _ => {
                return Err(format!(
                    "@validateByteRange: {} is no range of bytes; expected one as 32-126 or 9",
                    quoted(range)
                ));
            }
        }
    }
    Ok(bits)
}

/// What never holds here, and why.
fn inert(name: &str) -> Option<String> {
    match name.to_ascii_lowercase().as_str() {
        "geolookup" => Some("@geoLookup never holds here: there is no data base of places".into()),
        "rbl" => Some(
            "@rbl never holds here: a request waits for no name server; block by decisions of the API instead".into(),
        ),
        _ => None,
    }
}
