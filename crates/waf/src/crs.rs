//! The texts of a SecLang program in the order in which they belong together: the OWASP Core Rule Set, 3.3 or 4, with its
//! setup and plugins, what the settings say of it, and files of the operator's own.

use secbeat_engine::Program;
use secbeat_seclang::{Entry, Error, Sources, Span};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where Debian's package `modsecurity-crs` puts the rules.
const DEBIAN_RULES: &str = "/usr/share/modsecurity-crs/rules";
/// Where it puts the setup, and the files for rules before and after it.
const DEBIAN_SETUP: &str = "/etc/modsecurity/crs/crs-setup.conf";
/// The first id of the rules that are written here: of a range that ModSecurity's reference manual leaves to all.
const FIRST_ID: u64 = 22_094_000;

/// What the settings say of the Core Rule Set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct CrsSettings {
    /// The folder of its rules, or the one above; `None`: Debian's.
    pub path: Option<PathBuf>,
    /// Its `crs-setup.conf`; `None`: beside the rules or above them, or Debian's.
    pub setup: Option<PathBuf>,
    /// The paranoia level that blocks.
    pub paranoia_level: Option<u32>,
    /// The paranoia level that is looked at besides.
    pub detection_paranoia_level: Option<u32>,
    /// The score from which a request is stopped.
    pub inbound_threshold: Option<u32>,
    /// The score from which an answer is stopped.
    pub outbound_threshold: Option<u32>,
}

/// What the settings say of answers; files of the operator's own may say otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ResponseSettings {
    /// How many bytes of an answer's body are looked at; 0: none.
    pub limit: usize,
    /// The media types whose bodies are looked at.
    pub types: Vec<String>,
}

/// A program, and what of its texts has no effect here.
#[derive(Debug)]
pub struct Compiled {
    /// The program.
    pub program: Program,
    /// Each with its file and line.
    pub notes: Vec<String>,
}

/// Reads and compiles the Core Rule Set, if it is wanted, and then the files that `include` names, of which each may be a
/// pattern.
///
/// # Errors
/// Everything that is wrong, each with its file and line.
pub fn compile(
    crs: Option<&CrsSettings>,
    response: &ResponseSettings,
    include: &[PathBuf],
    sources: &dyn Sources,
) -> Result<Compiled, Vec<Error>> {
    let entries = entries(crs, response, include, sources).map_err(|error| vec![error])?;
    let rules = secbeat_seclang::load(sources, &entries)?;
    let file = |span: Span| rules.files.get(usize::from(span.file)).cloned().unwrap_or_default();
    let notes =
        rules.notes.iter().map(|(span, note)| format!("{}:{}: {note}", file(*span), span.line)).collect();
    let program = Program::compile(&rules).map_err(|errors| {
        let told = errors.into_iter().map(|error| Error {
            file: error.file.into(),
            line: error.line,
            rule: Some(error.id),
            message: error.message,
        });
        told.collect::<Vec<_>>()
    })?;
    Ok(Compiled { program, notes })
}

/// The texts, in order.
fn entries(
    crs: Option<&CrsSettings>,
    response: &ResponseSettings,
    include: &[PathBuf],
    sources: &dyn Sources,
) -> Result<Vec<Entry>, Error> {
    let text = |name: &str, text: String| Entry::Text { name: name.into(), text };
    let mut entries = vec![text("(settings)", base(response))];
    if let Some(crs) = crs {
        let found = Found::of(crs, sources)?;
        entries.push(text("(body processors)", BODY_RULES.replace("ID+", &(FIRST_ID / 100).to_string())));
        entries.push(Entry::File(found.setup.clone()));
        entries.push(text("[waf.crs]", said(crs)));
        entries.extend(found.beside_setup("REQUEST-900", sources)?);
        entries.extend(files(&found.root.join("plugins/*-config.conf"), sources)?);
        entries.extend(files(&found.root.join("plugins/*-before.conf"), sources)?);
        entries.extend(files(&found.rules.join("*.conf"), sources)?.into_iter().filter(
            |entry| match entry {
                Entry::File(path) => !path.ends_with("crs-setup.conf"),
                Entry::Text { .. } => true,
            },
        ));
        entries.extend(files(&found.root.join("plugins/*-after.conf"), sources)?);
        entries.extend(found.beside_setup("RESPONSE-999", sources)?);
    }
    for pattern in include {
        let found = files(pattern, sources)?;
        if found.is_empty() {
            return Err(missing(pattern, "no such file; name one that is there in `[waf] include`"));
        }
        entries.extend(found);
    }
    Ok(entries)
}

/// Where the Core Rule Set is.
struct Found {
    /// The folder of `*.conf`.
    rules: PathBuf,
    /// The folder in which `plugins` may be.
    root: PathBuf,
    setup: PathBuf,
}

impl Found {
    fn of(crs: &CrsSettings, sources: &dyn Sources) -> Result<Found, Error> {
        let path = crs.path.as_deref().unwrap_or(Path::new(DEBIAN_RULES));
        let has_rules = |folder: &Path| files(&folder.join("*.conf"), sources).map(|found| found.len() > 1);
        let below = path.join("rules");
        let (rules, root) = if has_rules(&below)? {
            (below, path.to_owned())
        } else if has_rules(path)? {
            (path.to_owned(), path.parent().unwrap_or(path).to_owned())
        } else {
            let what = "no rules (*.conf) of the Core Rule Set here; install the package modsecurity-crs, or name their \
                        folder in `[waf.crs] path`";
            return Err(missing(path, what));
        };
        let near = ["crs-setup.conf", "crs-setup.conf.example"];
        let mut candidates: Vec<PathBuf> =
            near.iter().flat_map(|name| [rules.join(name), root.join(name)]).collect();
        // Debian's belongs to Debian's rules: another version would not know its variables.
        if crs.path.is_none() || path.starts_with("/usr/share/modsecurity-crs") {
            candidates.insert(0, DEBIAN_SETUP.into());
        }
        if let Some(setup) = &crs.setup {
            return Ok(Found { rules, root, setup: setup.clone() });
        }
        for setup in candidates {
            if !files(&setup, sources)?.is_empty() {
                return Ok(Found { rules, root, setup });
            }
        }
        Err(missing(&root, "no crs-setup.conf here; name it in `[waf.crs] setup`"))
    }

    /// Files for rules before or after the rest that Debian keeps beside the setup; where they are among the rules, they are
    /// read there.
    fn beside_setup(&self, prefix: &str, sources: &dyn Sources) -> Result<Vec<Entry>, Error> {
        match self.setup.parent().filter(|folder| *folder != self.rules) {
            Some(folder) => files(&folder.join(format!("{prefix}-*.conf")), sources),
            None => Ok(Vec::new()),
        }
    }
}

/// The files that a pattern matches, sorted.
fn files(pattern: &Path, sources: &dyn Sources) -> Result<Vec<Entry>, Error> {
    let mut found = sources.glob(pattern).map_err(|error| missing(pattern, &error.to_string()))?;
    found.sort_unstable();
    Ok(found.into_iter().map(Entry::File).collect())
}

fn missing(path: &Path, message: &str) -> Error {
    Error { file: Arc::from(path.to_string_lossy()), line: 0, rule: None, message: message.into() }
}

/// What holds where no file says otherwise.
fn base(response: &ResponseSettings) -> String {
    let mut text = String::from("SecRuleEngine On\nSecRequestBodyAccess On\n");
    if response.limit == 0 || response.types.is_empty() {
        text.push_str("SecResponseBodyAccess Off\n");
    } else {
        text.push_str(&format!(
            "SecResponseBodyAccess On\nSecResponseBodyLimitAction ProcessPartial\nSecResponseBodyLimit {}\n\
             SecResponseBodyMimeType {}\n",
            response.limit,
            response.types.join(" ")
        ));
    }
    text
}

/// The rules of `modsecurity.conf-recommended` on which the Core Rule Set counts: JSON and XML are taken apart, and what
/// cannot be taken apart is refused.
const BODY_RULES: &str = r#"
SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application(?:/soap\+|/)|text/)xml" \
    "id:ID+00,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/[a-z0-9.-]+\+xml" \
    "id:ID+01,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application|text)/(?:[a-z0-9.-]+\+)?json" \
    "id:ID+02,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" \
    "id:ID+03,phase:2,t:none,log,deny,status:400,severity:2,tag:'attack-protocol',\
    msg:'A body that is not what its type says',logdata:'%{reqbody_error_msg}'"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" \
    "id:ID+04,phase:2,t:none,log,deny,status:400,severity:2,tag:'attack-protocol',\
    msg:'A multipart body that backends may read differently',\
    logdata:'BQ %{MULTIPART_BOUNDARY_QUOTED}, BW %{MULTIPART_BOUNDARY_WHITESPACE}, DB %{MULTIPART_DATA_BEFORE}, \
DA %{MULTIPART_DATA_AFTER}, HF %{MULTIPART_HEADER_FOLDING}, LF %{MULTIPART_LF_LINE}, SM %{MULTIPART_MISSING_SEMICOLON}, \
IQ %{MULTIPART_INVALID_QUOTING}, IP %{MULTIPART_INVALID_PART}, IH %{MULTIPART_INVALID_HEADER_FOLDING}'"
SecRule MULTIPART_UNMATCHED_BOUNDARY "@eq 1" \
    "id:ID+05,phase:2,t:none,log,deny,status:400,severity:2,tag:'attack-protocol',\
    msg:'A multipart body with a line that looks like a boundary'"
"#;

/// What the settings say, in the words of the Core Rule Set, 3.3 and 4.
fn said(crs: &CrsSettings) -> String {
    let mut sets = Vec::new();
    let mut set = |names: &[&str], value: Option<u32>| {
        let value = value.into_iter();
        sets.extend(
            value.flat_map(|value| names.iter().map(move |name| format!("setvar:tx.{name}={value}"))),
        );
    };
    set(&["paranoia_level", "blocking_paranoia_level"], crs.paranoia_level);
    set(&["executing_paranoia_level", "detection_paranoia_level"], crs.detection_paranoia_level);
    set(&["inbound_anomaly_score_threshold"], crs.inbound_threshold);
    set(&["outbound_anomaly_score_threshold"], crs.outbound_threshold);
    if sets.is_empty() {
        return String::new();
    }
    let mut text =
        format!("SecAction \"id:{},phase:1,nolog,pass,t:none,{}\"\n", FIRST_ID + 10, sets.join(","));
    // A level that is looked at below the one that blocks is refused by the Core Rule Set, for every request.
    if let (Some(level), None) = (crs.paranoia_level, crs.detection_paranoia_level) {
        for (index, name) in ["executing_paranoia_level", "detection_paranoia_level"].iter().enumerate() {
            text.push_str(&format!(
                "SecRule TX:{name} \"@lt {level}\" \"id:{},phase:1,nolog,pass,t:none,setvar:tx.{name}={level}\"\n",
                FIRST_ID + 11 + index as u64
            ));
        }
    }
    text
}

#[cfg(test)]
#[path = "crs_tests.rs"]
mod tests;
