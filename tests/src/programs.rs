//! Where the programs are.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder of the programs: `SECBEAT_BIN_DIR`, or the folder that this test was built to, where cargo is asked for them first.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| match env::var_os("SECBEAT_BIN_DIR") {
        Some(given) => PathBuf::from(given),
        None => build(),
    })
}

/// The program `name`.
pub fn path(name: &str) -> PathBuf {
    let path = folder().join(name);
    assert!(path.exists(), "{} is not there; SECBEAT_BIN_DIR must name the folder it is in", path.display());
    path
}

/// The program schemathesis, where `.ci/schemathesis` has put it; `None` where it has not.
pub fn schemathesis() -> Option<PathBuf> {
    let folder = env::var_os("SCHEMATHESIS_DIR")
        .map_or_else(|| workspace().join("target/schemathesis"), PathBuf::from);
    Some(folder.join("bin/schemathesis")).filter(|program| program.exists())
}

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn build() -> PathBuf {
    // target/debug/deps/this-test
    let test = env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap().to_path_buf();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(other) => other,
        None => panic!("{}: expected target/<profile>/deps/<test>", test.display()),
    };
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "-p", "mitigation-node", "-p", "secbeat", "--profile", profile])
        .current_dir(workspace())
        .env("CARGO_TARGET_DIR", folder.parent().unwrap())
        .status()
        .unwrap();
    assert!(status.success(), "cargo build: {status}");
    folder
}
