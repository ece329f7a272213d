//! The audit log: what SecLang rules found in a request, a JSON object a line, in a file of its own.
//!
//! Workers hand over an [`Audit`]; one thread masks it as the recorder would, and writes it. One that finds the queue
//! full is dropped and counted. The log is switched on and off, and its file changed, while it runs.

use crate::aside::{Aside, Work};
use crate::plain::plain_json;
use crate::recorder::{Draft, Record, RecorderOptions};
use secbeat_types::Timestamp;
use serde::Serialize;
use std::fs::File;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The most requests that wait to be written.
const QUEUE_AUDITS: usize = 1024;
/// The longest sleep of the thread.
const PERIOD: Duration = Duration::from_secs(1);

/// How the audit log is kept.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    /// Where lines go; the file and its folder are made if they are not there.
    pub file: PathBuf,
    /// What is masked, and whether addresses are cut: as in records; bodies are never written.
    pub record: RecorderOptions,
}

/// A request that rules matched, nothing masked.
#[derive(Debug)]
pub struct Audit {
    /// The request. Its matches are those of the rules below, in the same order; `matched` is what the rule says of them
    /// (`logdata`).
    pub request: Draft,
    /// The rules that matched.
    pub rules: Vec<AuditRule>,
    /// The anomaly scores, by name.
    pub scores: Vec<(&'static str, i64)>,
}

/// A rule that matched, as its file has it.
#[derive(Debug, Serialize)]
pub struct AuditRule {
    /// The file.
    pub file: Arc<str>,
    /// The line on which it begins.
    pub line: u32,
    /// The phase in which it ran: 1 to 5.
    pub phase: u8,
    /// Its `ver`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Arc<str>>,
    /// Its tags.
    pub tags: Vec<Arc<str>>,
}

/// A line.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: Timestamp,
    request_id: &'a str,
    client_ip: IpAddr,
    #[serde(skip_serializing_if = "str::is_empty")]
    site: &'a str,
    method: &'a str,
    target: &'a str,
    version: &'a str,
    fields: &'a [(String, String)],
    status: u16,
    action: &'a str,
    scores: serde_json::Map<String, serde_json::Value>,
    messages: Vec<Message<'a>>,
}

#[derive(Serialize)]
struct Message<'a> {
    rule_id: &'a str,
    message: &'a str,
    category: &'a str,
    severity: &'a str,
    variable: &'a str,
    data: &'a str,
    #[serde(flatten)]
    rule: &'a AuditRule,
}

/// The audit log of a process.
#[derive(Debug)]
pub struct AuditLog {
    is_on: AtomicBool,
    aside: Aside<Audit>,
    shared: Arc<Shared>,
}

/// What lines may go to, open; or nothing.
#[derive(Debug)]
pub struct OpenAudit(Option<(File, AuditOptions)>);

#[derive(Debug, Default)]
struct Shared {
    /// What lines go to from now on, where that has changed.
    next: Mutex<Option<Option<(File, AuditOptions)>>>,
    lost: AtomicU64,
}

impl AuditLog {
    /// Starts the thread that writes, and opens the file where there are `options`; without them the log is off.
    ///
    /// # Errors
    /// The file cannot be opened or the thread not be started.
    pub fn start(options: Option<AuditOptions>) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let work = Writer { shared: shared.clone(), target: None, is_torn: false };
        let aside = Aside::start("audit-log", QUEUE_AUDITS, PERIOD, work)?;
        let log = AuditLog { is_on: AtomicBool::new(false), aside, shared };
        log.move_to(Self::open(options)?);
        Ok(log)
    }

    /// Opens the file of `options`, for lines to [go to](Self::move_to); without them there is none.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(options: Option<AuditOptions>) -> io::Result<OpenAudit> {
        let opened = options.map(|options| {
            crate::log::open_to_append(&options.file, "[audit_log] file").map(|file| (file, options))
        });
        opened.transpose().map(OpenAudit)
    }

    /// Switches the log on, off or over, also to the same file opened anew after log rotation.
    pub fn move_to(&self, OpenAudit(opened): OpenAudit) {
        self.is_on.store(opened.is_some(), Relaxed);
        *self.shared.next() = Some(opened);
    }

    /// Whether it is wanted: to be asked before an [`Audit`] is made.
    pub fn is_on(&self) -> bool {
        self.is_on.load(Relaxed)
    }

    /// Hands over what was found in a request. Never waits.
    pub fn hand_over(&self, audit: Audit) {
        self.aside.hand_over(audit, 1);
    }

    /// Requests lost since the start, because they came faster than they were written or could not be written.
    pub fn dropped(&self) -> u64 {
        self.aside.dropped() + self.shared.lost.load(Relaxed)
    }

    /// Waits until everything handed over so far has been written, at most `patience`; says whether it was.
    pub fn flush(&self, patience: Duration) -> bool {
        self.aside.flush(patience)
    }
}

impl Shared {
    /// A panic elsewhere leaves it whole: each change is one assignment.
    fn next(&self) -> MutexGuard<'_, Option<Option<(File, AuditOptions)>>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Writer {
    shared: Arc<Shared>,
    target: Option<(File, AuditOptions)>,
    /// A write failed within a line.
    is_torn: bool,
}

impl Writer {
    fn follow_orders(&mut self) {
        if let Some(target) = self.shared.next().take() {
            (self.target, self.is_torn) = (target, false);
        }
    }
}

impl Work<Audit> for Writer {
    fn take(&mut self, audit: Audit) {
        self.follow_orders();
        // What was found before the log was switched off goes nowhere, and is not missed.
        let Some((file, options)) = &mut self.target else { return };
        let Audit { request, rules, scores } = audit;
        let record = options.record.mask.record(request, &options.record);
        // Strings and numbers: they can always be written as JSON.
        let Ok(line) = serde_json::to_string(&line(&record, &rules, &scores)) else { return };
        // Where half a line stands there, what follows begins on a line of its own.
        let before = if self.is_torn { "\n" } else { "" };
        self.is_torn = file.write_all(format!("{before}{}\n", plain_json(&line)).as_bytes()).is_err();
        if self.is_torn {
            self.shared.lost.fetch_add(1, Relaxed);
        }
    }

    fn settle(&mut self) {
        self.follow_orders();
    }
}

fn line<'a>(record: &'a Record, rules: &'a [AuditRule], scores: &[(&'static str, i64)]) -> Line<'a> {
    let messages = record.matches.iter().zip(rules).map(|(note, rule)| Message {
        rule_id: &note.rule_id,
        message: &note.name,
        category: &note.category,
        severity: &note.severity,
        variable: &note.variable,
        data: &note.matched,
        rule,
    });
    Line {
        timestamp: record.timestamp,
        request_id: &record.request_id,
        client_ip: record.client_ip,
        site: &record.site,
        method: &record.method,
        target: &record.target,
        version: &record.version,
        fields: &record.fields,
        status: record.status,
        action: &record.action,
        scores: scores.iter().map(|(name, score)| ((*name).to_owned(), (*score).into())).collect(),
        messages: messages.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::Mask;
    use secbeat_types::{Action, Category, RuleMatch, Severity};

    fn options(file: PathBuf) -> AuditOptions {
        let mask = Mask::new(["authorization"], ["password"]);
        let record = RecorderOptions {
            enable: false,
            sample_every: 0,
            bytes_max: 0,
            bodies: false,
            body_bytes_max: 0,
            mask,
            keep: Duration::ZERO,
            anonymize: true,
        };
        AuditOptions { file, record }
    }

    fn audit(data: &str) -> Audit {
        let found = RuleMatch {
            rule_id: "942100".into(),
            name: "SQL Injection".into(),
            category: Category::SqlInjection,
            severity: Severity::Critical,
            action: Action::Block,
            variable: "ARGS:password".into(),
            matched: data.into(),
            transformations: Vec::new(),
        };
        let rule = AuditRule {
            file: "REQUEST-942.conf".into(),
            line: 45,
            phase: 2,
            version: None,
            tags: vec!["attack-sqli".into()],
        };
        let request = Draft {
            request_id: "a1".into(),
            timestamp: Timestamp::from_unix_ms(0),
            client_ip: [192, 0, 2, 77].into(),
            site: String::new(),
            method: "GET".into(),
            target: format!("/?password={data}&x=1"),
            version: "HTTP/1.1",
            fields: vec![("Authorization".into(), "Bearer t0ken".into())],
            body: None,
            body_bytes: 0,
            status: 403,
            stopped: true,
            action: "stopped",
            rule_id: Some("942100".into()),
            matches: vec![found],
        };
        Audit { request, rules: vec![rule], scores: vec![("inbound", 5)] }
    }

    #[test]
    fn a_line_says_what_was_found_and_nothing_secret() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("logs/audit.log");
        let log = AuditLog::start(Some(options(file.clone()))).unwrap();
        assert!(log.is_on());
        log.hand_over(audit("s3cret' or 1"));
        assert!(log.flush(Duration::from_secs(20)));
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(
            !text.contains("s3cret") && !text.contains("t0ken") && !text.contains("192.0.2.77"),
            "{text}"
        );
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["scores"]["inbound"], 5);
        let message = &line["messages"][0];
        assert_eq!((&message["rule_id"], &message["line"]), (&"942100".into(), &45.into()));
        assert_eq!(message["tags"][0], "attack-sqli");
        log.move_to(OpenAudit(None));
        log.hand_over(audit("x"));
        assert!(log.flush(Duration::from_secs(20)));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        assert!(!log.is_on());
    }
}
