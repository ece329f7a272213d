//! Our own node in `l7` mode, by the program that `cargo build --release` makes.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{CONNECTIONS, Setup, first_line, write};
use crate::Outcome;
use crate::process::free_port;

/// From the repository's root, where the benchmark is run; another folder by `SECBEAT_BIN_DIR`.
const PROGRAMS: &str = "target/release";
const RULES: &str = "mitigation-node/config/waf_rules.json";

pub fn version(waf: bool) -> Result<String, String> {
    let program = program()?;
    if waf {
        rules()?;
    }
    first_line(&program.to_string_lossy(), "--version", "")
}

/// The node's program.
pub fn program() -> Outcome<PathBuf> {
    let folder = std::env::var("SECBEAT_BIN_DIR").unwrap_or_else(|_| PROGRAMS.into());
    absolute(&format!("{folder}/mitigation-node"), "`cargo build --release -p mitigation-node`")
}

/// The rules that are shipped with it.
pub fn rules() -> Outcome<PathBuf> {
    absolute(RULES, "run from the repository's root")
}

pub fn command(setup: Setup<'_>, port: u16, waf: bool) -> Outcome<Command> {
    let firewall = match waf {
        true => {
            format!("enable = true\nrules_path = \"{}\"", rules()?.display())
        }
        false => "enable = false".into(),
    };
    command_with(setup, port, &firewall)
}

/// With the lines of section `[waf]`; further sections may follow them.
pub fn command_with(setup: Setup<'_>, port: u16, firewall: &str) -> Outcome<Command> {
    let file = setup.dir.join("node.toml");
    write(&file, &config(setup, port, free_port()?, firewall))?;
    let mut command = Command::new(program()?);
    command.env("MITIGATION_CONFIG", file);
    Ok(command)
}

fn config(setup: Setup<'_>, port: u16, metrics: u16, firewall: &str) -> String {
    let (dir, origin, workers) = (setup.dir.display(), setup.origin, setup.workers);
    let tls = setup
        .certificate
        .map(|certificate| {
            let (chain, key) = (certificate.chain.display(), certificate.key.display());
            format!("[tls]\ncert_path = \"{chain}\"\nkey_path = \"{key}\"\n")
        })
        .unwrap_or_default();
    format!(
        r#"[server]
mode = "l7"
bind_address = "127.0.0.1:{port}"
backend_address = "127.0.0.1:{origin}"
worker_threads = {workers}
max_connections = {CONNECTIONS}
keepalive_timeout = 3600
data_dir = "{dir}/data"

{tls}
[waf]
{firewall}

[metrics]
bind_address = "127.0.0.1:{metrics}"

[logging]
level = "warn"
"#
    )
}

fn absolute(path: &str, remedy: &str) -> Result<PathBuf, String> {
    Path::new(path).canonicalize().map_err(|_| format!("there is no {path}; {remedy}"))
}
