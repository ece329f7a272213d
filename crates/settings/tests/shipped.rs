//! Every file that is shipped loads, and those of the platform guide are the guide's, word for word.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use secbeat_settings::{Errors, Loaded, Settings, Sources};
use std::collections::BTreeMap;
use std::path::PathBuf;
use support::{load, root, text_of};

const CONFIG: &str = "mitigation-node/config";
const GUIDE: &str = "crates/settings/tests/guide";

fn shipped(name: &str) -> Result<Loaded, Errors> {
    let cookie = ("SYN_COOKIE_SECRET".to_owned(), "0123456789abcdef0123456789abcdef".to_owned());
    Settings::load(&Sources {
        path: Some(root().join(CONFIG).join(name)),
        environment: BTreeMap::from([cookie]),
        sets: Vec::new(),
        read: &|path| std::fs::read_to_string(path),
    })
}

#[test]
fn every_shipped_file_loads_without_a_warning() {
    let mut names: Vec<String> = std::fs::read_dir(root().join(CONFIG))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["development", "node-1", "node-2", "node-3", "node-4", "node-5", "production", "safe", "syn"]
            .map(|name| format!("{name}.toml"))
    );
    for name in names {
        let loaded = shipped(&name).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(loaded.warnings, [] as [&str; 0], "{name}");
    }
}

#[test]
fn production_is_the_guides_word_for_word_and_then_names_its_log_file() {
    let (ours, guides) =
        (text_of(&format!("{CONFIG}/production.toml")), text_of(&format!("{GUIDE}/production.toml")));
    let rest: Vec<&str> = ours.strip_prefix(&guides).expect("the guide's words first").lines().collect();
    assert!(
        matches!(rest[..], [comment, "file = \"logs/mitigation.log\""] if comment.starts_with('#')),
        "{rest:?}"
    );
}

#[test]
fn development_is_the_guides_word_for_word() {
    assert_eq!(text_of(&format!("{CONFIG}/development.toml")), text_of(&format!("{GUIDE}/development.toml")));
}

#[test]
fn every_block_of_the_guide_loads() {
    for name in ["tcp", "l7", "development", "production"] {
        load(&text_of(&format!("{GUIDE}/{name}.toml"))).unwrap_or_else(|errors| panic!("{name}: {errors}"));
    }
    let syn = text_of(&format!("{GUIDE}/syn.toml"));
    assert!(load(&syn).unwrap_err().to_string().contains("this is a placeholder"));
    load(&syn.replace("your-secret-key", "0123456789abcdef")).unwrap();
    let tuning = text_of(&format!("{GUIDE}/tuning.toml"));
    let tuned =
        load(&tuning.replace("[server]", "[server]\nbackend_address = \"127.0.0.1:8080\"")).unwrap().settings;
    assert_eq!((tuned.server.worker_threads, tuned.server.max_connections), (16, 20_000));
    assert!(tuned.performance.enable_tcp_fastopen);
}

#[test]
fn the_copies_of_the_guide_are_the_guides() {
    let shared = std::env::var_os("SECBEAT_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let Ok(guide) = std::fs::read_to_string(shared.join("platform-guide.md")) else {
        println!("skipped: no platform guide in {}; name its folder with SECBEAT_SHARED", shared.display());
        return;
    };
    for name in ["tcp", "syn", "l7", "production", "development", "tuning"] {
        let block = format!("```toml\n{}```", text_of(&format!("{GUIDE}/{name}.toml")));
        assert!(guide.contains(&block), "{name}.toml is not in the guide as it stands");
    }
    assert_eq!(guide.matches("```toml\n").count(), 6, "a block of the guide has no copy");
}

#[test]
fn production_runs_and_says_what_it_runs_without() {
    let degraded = shipped("production.toml").unwrap().check_built().unwrap();
    let keys: Vec<&str> = degraded.iter().map(|degradation| degradation.key).collect();
    assert_eq!(keys, ["syn_proxy.enable", "orchestrator.url"]);
}

#[test]
fn safe_takes_effect_by_a_reload_alone() {
    let (production, safe) = (shipped("production.toml").unwrap(), shipped("safe.toml").unwrap());
    let changes = production.settings.changes(&safe.settings);
    assert!(changes.changed.contains(&"waf.rate_limit_rps".to_owned()));
    assert_eq!(changes.restart_required, [] as [&str; 0]);
}

#[test]
fn five_nodes_share_a_port_and_nothing_else() {
    let nodes: Vec<Settings> =
        (1..=5).map(|i| shipped(&format!("node-{i}.toml")).unwrap().settings).collect();
    for (i, node) in (1u16..).zip(&nodes) {
        assert!(node.server.reuse_port);
        assert_eq!(node.server.bind_address.port(), 8443);
        assert_eq!(node.metrics.bind_address.port(), 9190 + i);
        for other in nodes.iter().skip(usize::from(i)) {
            assert_ne!(node.server.data_dir, other.server.data_dir);
            assert_ne!(node.logging.file, other.logging.file);
        }
    }
}

#[test]
fn modes_that_are_not_built_are_refused_by_name() {
    for (name, mode) in [("development.toml", "tcp"), ("syn.toml", "syn")] {
        let errors = shipped(name).unwrap().check_built().unwrap_err().to_string();
        let refusal = format!("server.mode: \"{mode}\" is not built in this version; use \"l7\"");
        assert!(errors.contains(&refusal) && errors.contains(&format!("{name}:")), "{errors}");
    }
}

#[test]
fn keys_that_are_not_built_are_refused_by_name_and_place() {
    let file = "[server]\nbackend_address = \"a:80\"\n\
                [syn_proxy]\nenable = true\nrequired = true\n[logging]\nformat = \"ecs\"\n\
                [[listeners]]\nx = 1\n[[backends]]\n[[routes]]\n";
    let errors = load(file).unwrap().check_built().unwrap_err().to_string();
    for place in [
        "5:12: syn_proxy.required",
        "7:10: logging.format",
        "8:3: listeners",
        "10:3: backends",
        "11:3: routes",
    ] {
        assert!(errors.contains(&format!("config/production.toml:{place}: ")), "{place} in {errors}");
    }
    assert_eq!(errors.lines().count(), 5);
    assert!(errors.lines().all(|line| line.contains("not built in this version")));
}
