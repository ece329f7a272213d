//! ModSecurity 3 as Debian ships it, to compare with: `tests/oracle/oracle.c`, built where libmodsecurity is.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tempfile::TempDir;

/// One ModSecurity with one set of rules.
pub struct Oracle {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    _folder: TempDir,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The status it is stopped with; `None`: it passes.
    pub status: Option<u16>,
    /// Where it is sent to.
    pub url: String,
    /// The lines of the log, one a match that is told.
    pub log: Vec<String>,
}

/// A request as ModSecurity's connectors hand it over.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The target as on the request line; no spaces.
    pub uri: String,
    /// The fields, in order.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Oracle {
    /// A new one without rules; `None` where there is no libmodsecurity to build it with, which it says.
    pub fn start() -> Option<Oracle> {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("oracle");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/oracle.c");
        let built =
            Command::new("cc").arg("-O1").arg(source).arg("-o").arg(&program).arg("-lmodsecurity").output();
        match built {
            Ok(output) if output.status.success() => {}
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(said.contains("modsecurity/modsecurity.h: No such file"), "cc: {said}");
                println!("skipped: needs libmodsecurity (package libmodsecurity-dev)");
                return None;
            }
            Err(_) => {
                println!("skipped: needs cc (package build-essential)");
                return None;
            }
        }
        let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Some(Oracle { child, stdin, stdout, _folder: folder })
    }

    /// Forgets all rules and reads these; the error is ModSecurity's.
    pub fn rules(&mut self, text: &str) -> Result<(), String> {
        self.read(&format!("rules {}\n", text.replace('\n', "\t")))
    }

    /// Reads these in addition.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        self.read(&format!("add {}\n", text.replace('\n', "\t")))
    }

    /// Reads a file in addition.
    pub fn file(&mut self, path: &Path) -> Result<(), String> {
        self.read(&format!("file {}\n", path.display()))
    }

    fn read(&mut self, command: &str) -> Result<(), String> {
        self.say(command);
        match self.line().as_str() {
            "ok" => Ok(()),
            error => Err(error.trim_start_matches("error ").to_owned()),
        }
    }

    /// What becomes of requests whose field `X` is each of these values; only the rules of phase 1 run.
    pub fn values(&mut self, values: &[Vec<u8>]) -> Vec<Answer> {
        let commands: Vec<String> = values.iter().map(|value| format!("value {}\n", hex(value))).collect();
        let mut stdin = self.stdin.take().unwrap();
        // Both pipes are small: somebody has to read while somebody writes.
        let (stdin, answers) = std::thread::scope(|scope| {
            let writer = scope.spawn(move || {
                commands.iter().for_each(|command| stdin.write_all(command.as_bytes()).unwrap());
                stdin.flush().unwrap();
                stdin
            });
            let answers = values.iter().map(|_| self.answer()).collect();
            (writer.join().unwrap(), answers)
        });
        self.stdin = Some(stdin);
        answers
    }

    /// What becomes of a request; the rules of all phases run, and the answer is an empty 200.
    pub fn request(&mut self, request: &Request) -> Answer {
        let mut commands = format!("request {} {}\n", request.method, request.uri);
        for (name, value) in &request.fields {
            let _ = writeln!(commands, "field {} {}", hex(name.as_bytes()), hex(value));
        }
        if !request.body.is_empty() {
            let _ = writeln!(commands, "body {}", hex(&request.body));
        }
        self.say(&(commands + "run\n"));
        self.answer()
    }

    fn say(&mut self, commands: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(commands.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    fn answer(&mut self) -> Answer {
        let mut answer = Answer::default();
        loop {
            let line = self.line();
            if let Some(log) = line.strip_prefix("log ") {
                answer.log.push(log.to_owned());
                continue;
            }
            if line != "pass" {
                let (status, url) = line.split_once(' ').unwrap();
                answer.status = Some(status.parse().unwrap_or_else(|_| panic!("the oracle said: {line}")));
                answer.url = url.to_owned();
            }
            return answer;
        }
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.stdout.read_until(b'\n', &mut line).unwrap();
        assert!(line.ends_with(b"\n"), "ModSecurity has crashed");
        String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line)).into_owned()
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Answer {
    /// The ids of the rules in the log, in order.
    pub fn ids(&self) -> Vec<u32> {
        self.log.iter().filter_map(|line| between(line, "[id \"", "\"]")?.parse().ok()).collect()
    }
}

/// What stands between two marks, the first that are met.
pub fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

/// Hexadecimal, in lower case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
