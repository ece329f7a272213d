//! Who takes part: each proxy without a firewall and with it, and whether it does its job.
//!
//! Both firewalls read the same rules (Debian's `modsecurity-crs`) and the same setup. At paranoia 1 the thresholds are those
//! that are shipped; above, where rules are expected to find something in harmless requests, they are out of reach, so that
//! every request is judged to its end. A header brings the shipped thresholds back, for the check that an attack is stopped.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Serialize, Serializer};

use crate::Outcome;
use crate::asker::{self, Asker, Next};
use crate::crs::requests::Kind;
use crate::peers::{Peer, Running, Setup, nginx, secbeat};
use crate::process::{Group, free_port};

/// Where Debian's package `modsecurity-crs` puts the rules.
pub const RULES: &str = "/usr/share/modsecurity-crs/rules";
/// Where Debian's package `libnginx-mod-http-modsecurity` puts the module.
pub const MODULE: &str = "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so";

/// An attack, to be judged by the thresholds that are shipped.
const ATTACK: &[u8] = b"GET /shop/search?id=1%27%20UNION%20SELECT%20password%20FROM%20users-- HTTP/1.1\r\n\
    Host: shop.example\r\nUser-Agent: check\r\nAccept: */*\r\nX-Thresholds: shipped\r\n\r\n";

/// A proxy in one of its configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// nginx, and nothing else.
    Nginx,
    /// nginx with ModSecurity 3 at a paranoia level.
    ModSecurity(u8),
    /// nginx with ModSecurity 3 at paranoia 1 that looks at bodies of answers too.
    ModSecurityAnswers,
    /// SecBeat without its firewall.
    Secbeat,
    /// SecBeat with the Core Rule Set at a paranoia level, and without its own rules.
    Crs(u8),
    /// SecBeat with the Core Rule Set at paranoia 1 that looks at bodies of answers too.
    CrsAnswers,
    /// SecBeat with its own rules, and without the Core Rule Set.
    Shipped,
}

impl Way {
    /// All, in the order in which the first round runs.
    pub const ALL: [Self; 13] = [
        Self::Nginx,
        Self::Secbeat,
        Self::ModSecurity(1),
        Self::Crs(1),
        Self::ModSecurity(2),
        Self::Crs(2),
        Self::ModSecurity(3),
        Self::Crs(3),
        Self::ModSecurity(4),
        Self::Crs(4),
        Self::ModSecurityAnswers,
        Self::CrsAnswers,
        Self::Shipped,
    ];

    /// The same proxy without a firewall.
    pub fn bare(self) -> Self {
        match self {
            Self::Nginx | Self::ModSecurity(_) | Self::ModSecurityAnswers => Self::Nginx,
            _ => Self::Secbeat,
        }
    }

    /// Whether it is measured with requests of `kind`: all are with those of fixed bytes; paranoia 1 is with those that
    /// vary; answers are looked at with a GET alone.
    pub fn takes(self, kind: Kind) -> bool {
        match self {
            Self::Nginx | Self::Secbeat | Self::ModSecurity(1) | Self::Crs(1) => true,
            Self::ModSecurityAnswers | Self::CrsAnswers => kind == Kind::Get,
            _ => !kind.varies(),
        }
    }

    fn peer(self) -> Peer {
        match self {
            Self::Nginx | Self::ModSecurity(_) | Self::ModSecurityAnswers => Peer::Nginx,
            Self::Secbeat => Peer::Secbeat,
            _ => Peer::SecbeatWaf,
        }
    }

    fn paranoia(self) -> u8 {
        match self {
            Self::ModSecurity(level) | Self::Crs(level) => level,
            _ => 1,
        }
    }

    /// Starts it, pinned and configured by `setup`, waits until it accepts connections, and sees that an attack is stopped
    /// exactly where there is a firewall, and that no harmless request is.
    pub async fn start(self, setup: Setup<'_>) -> Outcome<Running> {
        let port = free_port()?;
        let dir = setup.dir.join(format!("{self}-{port}"));
        fs::create_dir_all(&dir).map_err(|e| format!("creating {}: {e}", dir.display()))?;
        let mut command = self.command(Setup { dir: &dir, ..setup }, port)?;
        let mut group = Group::start(&self.to_string(), setup.cores, &dir, &mut command)?;
        group.accepts(&self.to_string(), port).await?;
        let running = Running::new(self.peer(), port, group);
        crate::aside(move || self.check(port)).await.map_err(|failure| running.explain(failure))?;
        Ok(running)
    }

    fn command(self, setup: Setup<'_>, port: u16) -> Outcome<Command> {
        match self {
            Self::Nginx => nginx::command(setup, port),
            Self::ModSecurity(_) | Self::ModSecurityAnswers => self.modsecurity(setup, port),
            Self::Secbeat => secbeat::command(setup, port, false),
            Self::Shipped => {
                secbeat::command_with(setup, port, &node(Some(&secbeat::rules()?), "", setup.dir)?)
            }
            Self::Crs(_) | Self::CrsAnswers => {
                let file = self.crs_setup(setup.dir)?;
                let limit = if self == Self::CrsAnswers { 131_072 } else { 0 };
                let waf = format!(
                    "inspect_response_limit = {limit}\n[waf.crs]\nenable = true\npath = \"{RULES}\"\nsetup = \"{}\"",
                    file.display()
                );
                secbeat::command_with(setup, port, &node(None, &waf, setup.dir)?)
            }
        }
    }

    fn modsecurity(self, setup: Setup<'_>, port: u16) -> Outcome<Command> {
        let file = setup.dir.join("modsecurity.conf");
        let answers = if self == Self::ModSecurityAnswers { "On" } else { "Off" };
        let (base, crs) = (BASE.replace("ANSWERS", answers), self.crs_setup(setup.dir)?);
        write(&file, &format!("{base}Include {}\nInclude {RULES}/*.conf\n", crs.display()))?;
        let server = format!("modsecurity on; modsecurity_rules_file {};", file.display());
        nginx::command_with(setup, port, &format!("load_module {MODULE};"), &server)
    }

    /// Writes the setup of the Core Rule Set.
    fn crs_setup(self, dir: &Path) -> Outcome<PathBuf> {
        let file = dir.join("crs-setup.conf");
        let paranoia = self.paranoia();
        let out_of_reach = if paranoia == 1 { "" } else { HIGH_THRESHOLDS };
        write(&file, &format!("{}{out_of_reach}", SETUP.replace("PARANOIA", &paranoia.to_string())))?;
        Ok(file)
    }

    fn check(self, port: u16) -> Outcome<()> {
        let mut requests: Vec<(Vec<u8>, u16)> =
            vec![(ATTACK.into(), if self.bare() == self { 200 } else { 403 })];
        for kind in Kind::ALL.into_iter().filter(|kind| self.takes(*kind)) {
            requests.extend(kind.requests().into_iter().take(1).map(|request| (request, 200)));
        }
        let mut check = Check { requests: &requests, sent: 0, failed: None };
        asker::run(port, 1, &mut check)?;
        match check.failed {
            None => Ok(()),
            Some((number, status)) => {
                let (request, expected) = requests.get(number).ok_or("an answer without a request")?;
                let request =
                    String::from_utf8_lossy(request.get(..request.len().min(2000)).unwrap_or_default());
                Err(format!(
                    "{self} does not do its job: expected {expected}, the answer is {status}, to\n{request}"
                ))
            }
        }
    }
}

/// Asks everything once, and keeps the first answer that is not as expected.
struct Check<'a> {
    requests: &'a [(Vec<u8>, u16)],
    sent: usize,
    failed: Option<(usize, u16)>,
}

impl Asker for Check<'_> {
    fn next(&mut self, _: std::time::Instant, request: &mut Vec<u8>) -> Next {
        let Some((bytes, _)) = self.requests.get(self.sent) else { return Next::Over };
        request.extend_from_slice(bytes);
        self.sent += 1;
        Next::Ask(self.sent - 1)
    }

    fn answered(&mut self, number: usize, status: u16, _: std::time::Instant) {
        if self.requests.get(number).is_some_and(|(_, expected)| *expected != status) {
            self.failed.get_or_insert((number, status));
        }
    }
}

/// The section `[waf]` of a node with `rules` of its own, or none, and `more`. Neither proxy writes of what it finds: the
/// recorder is off, as the audit log of the other is.
fn node(rules: Option<&Path>, more: &str, dir: &Path) -> Outcome<String> {
    let none = dir.join("no-rules.json");
    write(&none, "{ \"rules\": [] }\n")?;
    let rules = rules.unwrap_or(&none).display();
    Ok(format!("enable = true\nrules_path = \"{rules}\"\n{more}\n[recorder]\nenable = false"))
}

/// What `modsecurity.conf-recommended` of ModSecurity 3 has, but for limits, logs and temporary files; SecBeat has the same
/// rules built in.
const BASE: &str = r#"SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 1048576
SecResponseBodyAccess ANSWERS
SecResponseBodyMimeType text/plain text/html text/xml
SecResponseBodyLimit 524288
SecResponseBodyLimitAction ProcessPartial
SecAuditEngine Off
SecRule REQUEST_HEADERS:Content-Type "^(?:application(?:/soap\+|/)|text/)xml" \
    "id:'200000',phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "^application/json" \
    "id:'200001',phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" "id:'200002',phase:2,t:none,log,deny,status:400,severity:2"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" "id:'200003',phase:2,t:none,log,deny,status:400"
SecRule MULTIPART_UNMATCHED_BOUNDARY "@eq 1" "id:'200004',phase:2,t:none,log,deny,status:400"
"#;

/// What Debian's `crs-setup.conf` says, and the paranoia level.
const SETUP: &str = r#"SecDefaultAction "phase:1,log,auditlog,pass"
SecDefaultAction "phase:2,log,auditlog,pass"
SecCollectionTimeout 600
SecAction "id:900000,phase:1,nolog,pass,t:none,setvar:tx.paranoia_level=PARANOIA"
SecAction "id:900990,phase:1,nolog,pass,t:none,setvar:tx.crs_setup_version=334"
"#;

const HIGH_THRESHOLDS: &str = r#"SecAction "id:900110,phase:1,nolog,pass,t:none,\
    setvar:tx.inbound_anomaly_score_threshold=1000000,setvar:tx.outbound_anomaly_score_threshold=1000000"
SecRule REQUEST_HEADERS:X-Thresholds "@streq shipped" \
    "id:900111,phase:1,nolog,pass,t:none,setvar:tx.inbound_anomaly_score_threshold=5"
"#;

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nginx => f.write_str("nginx"),
            Self::ModSecurity(level) => write!(f, "nginx-modsecurity-{level}"),
            Self::ModSecurityAnswers => f.write_str("nginx-modsecurity-answers"),
            Self::Secbeat => f.write_str("secbeat"),
            Self::Crs(level) => write!(f, "secbeat-crs-{level}"),
            Self::CrsAnswers => f.write_str("secbeat-crs-answers"),
            Self::Shipped => f.write_str("secbeat-shipped-rules"),
        }
    }
}

impl Serialize for Way {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The versions of what is compared and of what both run, by Debian's account.
pub fn versions() -> Vec<String> {
    let packages = ["nginx", "libnginx-mod-http-modsecurity", "libmodsecurity3", "modsecurity-crs"];
    let of = |package: &str| {
        let output = Command::new("dpkg-query").args(["-W", "-f", "${Version}", package]).output().ok()?;
        output.status.success().then(|| format!("{package}: {}", String::from_utf8_lossy(&output.stdout)))
    };
    packages
        .into_iter()
        .map(|package| of(package).unwrap_or_else(|| format!("{package}: not Debian's")))
        .collect()
}

fn write(path: &Path, text: &str) -> Outcome<()> {
    fs::write(path, text).map_err(|e| format!("writing {}: {e}", path.display()))
}
