//! Regression cases of the Core Rule Set, read from YAML: what is sent, and what is expected of it.
//!
//! Two schemas are read: that of CRS 3 (`test_title`, `stage`, `log_contains`) and that of CRS 4 (`test_id`, `log.expect_ids`), as
//! published with the rules and in coreruleset/ftw-tests-schema.

use regex::Regex;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One case: a name, and requests with what is expected of each.
pub struct Case {
    /// `942100-3`.
    pub name: String,
    /// Whether its file is switched off (`enabled: false`).
    pub disabled: bool,
    /// What is sent, in order.
    pub stages: Vec<Stage>,
}

/// One request and what is expected of it.
#[derive(Clone)]
pub struct Stage {
    /// What is sent.
    pub input: Input,
    /// What is expected.
    pub expected: Expected,
}

/// What is sent, as the case says it; [`super::message::bytes`] writes it.
#[derive(Deserialize, Clone, Default)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The method; GET if it says none.
    pub method: Option<String>,
    /// The target; `/` if it says none.
    pub uri: Option<String>,
    /// The version; HTTP/1.1 if it says none.
    pub version: Option<String>,
    /// The fields, sorted by name; some have no value.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
    /// The body; a list is of lines.
    pub data: Option<OneOrMany<String>>,
    /// The whole request in base64.
    pub encoded_request: Option<String>,
    /// The whole request.
    pub raw_request: Option<String>,
    /// Whether fields that are missing are added (CRS 4).
    pub autocomplete_headers: Option<bool>,
    /// Whether nothing is added (CRS 3).
    pub stop_magic: Option<bool>,
    /// Whether the case is of CRS 3, whose runner told no length of a body that is empty.
    #[serde(skip)]
    pub is_of_crs_3: bool,
    #[serde(rename = "dest_addr")]
    pub(super) _address: Option<String>,
    #[serde(rename = "port")]
    pub(super) _port: Option<u16>,
    #[serde(rename = "protocol")]
    pub(super) _protocol: Option<String>,
}

/// What is expected of a request.
#[derive(Clone, Default)]
pub struct Expected {
    /// Statuses of which the answer has one; none: any.
    pub statuses: Vec<u16>,
    /// Rules that are logged.
    pub ids: Vec<u32>,
    /// Rules that are not.
    pub absent_ids: Vec<u32>,
    /// Text that stands in the log.
    pub text: Option<String>,
    /// Text that does not.
    pub absent_text: Option<String>,
    /// What a line of the log matches.
    pub pattern: Option<Regex>,
    /// What none matches.
    pub absent_pattern: Option<Regex>,
    /// Whether no good answer comes: the request is refused, or never whole.
    pub error: bool,
}

/// A value, or a list of such.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// One.
    One(T),
    /// A list.
    Many(Vec<T>),
}

/// The cases of every `*.yaml` under `folder`, in order of path.
pub fn read(folder: &Path) -> Result<Vec<Case>, String> {
    let mut files = Vec::new();
    list(folder, &mut files)?;
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        cases.extend(parse(&text).map_err(|error| format!("{}: {error}", file.display()))?);
    }
    match cases.is_empty() {
        true => Err(format!("{}: there are no cases (*.yaml) under it", folder.display())),
        false => Ok(cases),
    }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            files.push(path);
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct FileText {
    meta: Option<Meta>,
    rule_id: Option<u32>,
    tests: Vec<TestText>,
}

#[derive(Deserialize)]
struct Meta {
    enabled: Option<bool>,
}

#[derive(Deserialize)]
struct TestText {
    test_title: Option<String>,
    test_id: Option<u32>,
    stages: Vec<StageText>,
}

#[derive(Deserialize)]
struct StageText {
    /// CRS 3 has one level more.
    stage: Option<Box<StageText>>,
    input: Option<Input>,
    output: Option<OutputText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputText {
    status: Option<OneOrMany<u16>>,
    log: Option<LogText>,
    log_contains: Option<String>,
    no_log_contains: Option<String>,
    #[serde(default)]
    expect_error: bool,
    #[serde(rename = "retry_once")]
    _retry_once: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct LogText {
    #[serde(default)]
    expect_ids: Vec<u32>,
    #[serde(default)]
    no_expect_ids: Vec<u32>,
    match_regex: Option<String>,
    no_match_regex: Option<String>,
}

fn parse(text: &str) -> Result<Vec<Case>, String> {
    let file: FileText = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    let disabled = file.meta.is_some_and(|meta| meta.enabled == Some(false));
    file.tests
        .into_iter()
        .map(|test| {
            let name = match (test.test_title, file.rule_id, test.test_id) {
                (Some(title), ..) => title,
                (None, Some(rule), Some(number)) => format!("{rule}-{number}"),
                _ => return Err("a test has neither `test_title` nor `test_id` with a `rule_id`".to_owned()),
            };
            let stages = test.stages.into_iter().map(stage).collect::<Result<_, _>>();
            stages.map_err(|error| format!("{name}: {error}")).map(|stages| Case { name, disabled, stages })
        })
        .collect()
}

fn stage(text: StageText) -> Result<Stage, String> {
    let is_of_crs_3 = text.stage.is_some();
    let (input, output) = match text.stage {
        Some(inner) => (inner.input, inner.output),
        None => (text.input, text.output),
    };
    let (Some(input), Some(output)) = (input, output) else {
        return Err("a stage has no `input` or no `output`".to_owned());
    };
    let input = Input { is_of_crs_3, ..input };
    let pattern = |text: Option<String>| text.map(|text| Regex::new(&text)).transpose();
    let log = output.log.unwrap_or_default();
    let expected = Expected {
        statuses: match output.status {
            None => Vec::new(),
            Some(OneOrMany::One(status)) => vec![status],
            Some(OneOrMany::Many(statuses)) => statuses,
        },
        ids: log.expect_ids,
        absent_ids: log.no_expect_ids,
        text: output.log_contains,
        absent_text: output.no_log_contains,
        pattern: pattern(log.match_regex).map_err(|error| format!("match_regex: {error}"))?,
        absent_pattern: pattern(log.no_match_regex).map_err(|error| format!("no_match_regex: {error}"))?,
        error: output.expect_error,
    };
    Ok(Stage { input, expected })
}

impl Expected {
    /// Whether nothing is expected to be found: a benign request.
    pub fn is_negative(&self) -> bool {
        self.ids.is_empty()
            && self.text.is_none()
            && self.pattern.is_none()
            && self.statuses.is_empty()
            && !self.error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_of_crs_3_is_read() {
        let text = r#"
  meta: {author: a, enabled: true, name: 920100.yaml}
  tests:
    - test_title: 920100-1
      stages:
        - stage:
            input:
              dest_addr: 127.0.0.1
              port: 80
              headers: {Host: localhost, Content-Length: 7, Accept: }
              data: [a, "b\x41"]
              stop_magic: true
            output:
              status: [403, 400]
              log_contains: "id \"920100\""
"#;
        let cases = parse(text).unwrap();
        let [Case { name, disabled: false, stages }] = &cases[..] else { panic!("one case") };
        assert_eq!(name, "920100-1");
        assert_eq!(stages[0].input.headers["Content-Length"].as_deref(), Some("7"));
        assert_eq!(stages[0].input.headers["Accept"], None);
        assert!(matches!(&stages[0].input.data, Some(OneOrMany::Many(lines)) if lines == &["a", "bA"]));
        assert_eq!(stages[0].expected.statuses, [403, 400]);
        assert_eq!(stages[0].expected.text.as_deref(), Some("id \"920100\""));
    }

    #[test]
    fn a_case_of_crs_4_is_read() {
        let text = r#"
meta: {author: a}
rule_id: 942100
tests:
  - test_id: 3
    stages:
      - input: {uri: /get, version: HTTP/1.1, autocomplete_headers: false}
        output: {status: 200, log: {expect_ids: [942100], no_expect_ids: [1], match_regex: 'a\.b'}, retry_once: true}
"#;
        let cases = parse(text).unwrap();
        assert_eq!(cases[0].name, "942100-3");
        let Stage { input, expected } = &cases[0].stages[0];
        assert_eq!(input.autocomplete_headers, Some(false));
        assert_eq!((&expected.ids[..], &expected.absent_ids[..]), (&[942100][..], &[1][..]));
        assert!(expected.pattern.as_ref().unwrap().is_match("xa.by"));
    }

    #[test]
    fn a_key_that_no_schema_has_is_refused() {
        let text = "tests: [{test_title: a, stages: [{input: {urii: /}, output: {status: 200}}]}]";
        assert!(parse(text).err().unwrap().contains("urii"));
    }
}
