//! The regression cases of the Core Rule Set 3.3.4, with the rules of Debian's package, through a running node.

use secbeat_tests::programs;
use std::path::Path;
use std::process::Command;

const RULES: &str = "/usr/share/modsecurity-crs/rules";
const SETUP: &str = "/etc/modsecurity/crs/crs-setup.conf";
const SIGNATURE: &str = "SecComponentSignature \"OWASP_CRS/3.3.4\"";

#[test]
fn every_case_of_the_core_rule_set_goes_as_its_authors_expect() {
    let corpora = std::env::var_os("SECBEAT_CORPORA").unwrap_or_else(|| "../shared/corpora".into());
    let cases = programs::workspace().join(corpora).join("crs-tests/3.3.4");
    let initialization = Path::new(RULES).join("REQUEST-901-INITIALIZATION.conf");
    if !std::fs::read_to_string(initialization).is_ok_and(|text| text.contains(SIGNATURE)) {
        println!("skipped: no Core Rule Set 3.3.4 (package modsecurity-crs)");
        return;
    }
    if !cases.exists() {
        println!("skipped: no corpora");
        return;
    }
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "run",
            "--quiet",
            "--locked",
            "--package",
            "xtask",
            "--",
            "crs",
            "--rules",
            RULES,
            "--setup",
            SETUP,
        ])
        .arg("--tests")
        .arg(&cases)
        .current_dir(programs::workspace())
        .env("SECBEAT_BIN_DIR", programs::folder())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or_default();
    let passed = last.split(' ').next().and_then(|count| count.parse::<u32>().ok());
    assert!(output.status.success() && passed.is_some_and(|passed| passed > 2300), "{said}{errors}");
}
