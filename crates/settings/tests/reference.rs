//! The reference page is the tables of the sections, and says something of every key.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use secbeat_settings::{keys, reference_markdown, table_keys};
use support::root;

#[test]
fn the_committed_page_is_the_generated_one() {
    let path = root().join("docs/configuration.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, reference_markdown()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == reference_markdown(),
        "docs/configuration.md is not what the sections say; write it again with UPDATE_GOLDEN=1 cargo test -p secbeat-settings"
    );
}

#[test]
fn every_key_has_a_row_with_a_meaning() {
    let page = reference_markdown();
    for key in keys().chain(table_keys()) {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{}`", key.name))).unwrap();
        assert_eq!(row.replace("\\|", "").matches('|').count(), 5, "{row}");
        assert!(key.doc.trim().ends_with('.'), "{}: a doc comment is sentences", key.path());
    }
}
