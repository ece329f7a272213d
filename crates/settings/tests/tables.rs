//! Sections that may stand several times, `[[sites]]` and `[[rate_limits]]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use secbeat_settings::{HostPattern, Loaded, Origin, RateKey, SiteMode, WafMode, reference_markdown};
use std::time::Duration;
use support::{Layers, SMALLEST, errors, load};

fn with(tables: &str) -> Loaded {
    load(&format!("{SMALLEST}{tables}")).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What is wrong with these tables, without the file's name. The first line of `tables` is line 3.
fn wrong_with(tables: &str) -> String {
    errors(&format!("{SMALLEST}{tables}")).replace("config/production.toml:", "")
}

#[test]
fn tables_are_read_in_the_order_of_the_file() {
    let loaded = with(
        "[[sites]]\nhosts = [\"Shop.example\", \"*.shop.example\"]\nwaf_mode = \"off\"\n\
         [[rate_limits]]\nname = \"login\"\nrequests = 5\nper = 60\nkey = [\"address\", \"header:X-Key\"]\n\
         [[sites]]\nname = \"api\"\nhosts = [\"api.example\"]\nmethods = [\"GET\"]\n",
    );
    let [shop, api] = loaded.settings.sites.as_slice() else { panic!("two sites") };
    let hosts = [HostPattern::Exact("shop.example".into()), HostPattern::Suffix("shop.example".into())];
    assert_eq!(shop.hosts, hosts);
    assert_eq!((shop.label().as_str(), shop.waf_mode), ("shop.example", Some(SiteMode::Off)));
    assert_eq!(api.label(), "api");
    assert!(api.methods.is_some() && shop.methods.is_none());
    let [login] = loaded.settings.rate_limits.as_slice() else { panic!("one limit") };
    assert_eq!(login.key, [RateKey::Address, RateKey::Header("x-key".into())]);
    assert_eq!((login.requests, login.per, login.burst), (5, Duration::from_secs(60), None));
    assert_eq!(login.mode, WafMode::Block);
}

#[test]
fn the_place_of_a_value_in_a_table_is_known() {
    let loaded = with("[[sites]]\nhosts = [\"a\"]\n[[sites]]\n  hosts = [\"b\"]\n");
    assert_eq!(
        loaded.origin("sites[1].hosts"),
        &Origin::File { path: "config/production.toml".into(), line: 6, column: 11 }
    );
    assert_eq!(loaded.origin("sites[1].csrf"), &Origin::Default);
}

#[test]
fn a_list_of_tables_is_the_same() {
    let file = "sites = [{ hosts = [\"a\"] }, { hosts = [\"b\"] }]\n[server]\nbackend_address = \"127.0.0.1:8080\"\n";
    let headers = with("[[sites]]\nhosts = [\"a\"]\n[[sites]]\nhosts = [\"b\"]\n");
    assert_eq!(load(file).unwrap().settings, headers.settings);
    let empty = format!("sites = []\n{SMALLEST}");
    assert_eq!(load(&empty).unwrap().settings.sites, []);
}

#[test]
fn variables_stand_in_tables_too() {
    let file = format!("{SMALLEST}[[sites]]\nhosts = [\"${{SHOP}}\"]\nrate_limit_rps = \"${{RPS:-7}}\"\n");
    let environment = &[("SHOP", "shop.example")];
    let loaded = Layers { file: Some(&file), environment, ..Layers::default() }.load().unwrap();
    assert_eq!(loaded.settings.sites[0].rate_limit_rps, Some(7));
    assert_eq!(loaded.settings.sites[0].label(), "shop.example");
    assert!(errors(&file).contains(":4:9: sites[0].hosts: the variable SHOP is not set"));
}

#[test]
fn what_is_wrong_in_a_table_is_told_with_its_number_and_place() {
    for (tables, message) in [
        ("[[sites]]\nhosts = []\n", "4:9: sites[0].hosts: expected at least one host, found none"),
        (
            "[[sites]]\nname = \"a\"\n",
            "3:1: sites[0].hosts: missing: expected a list, each a host without a port",
        ),
        (
            "[[sites]]\nhosts = [\"a\"]\n[[sites]]\nhosts = [\"b:80\"]\n",
            "6:9: sites[1].hosts: item 1: expected a host without a port, such as \"shop.example\" or \"*.shop.example\", found \"b:80\"",
        ),
        (
            "[[sites]]\nhosts = [\"a\"]\nwaf_mod = \"off\"\n",
            "5:1: sites[0].waf_mod: unknown key; did you mean waf_mode?",
        ),
        (
            "[[sites]]\nhosts = [\"a\"]\nmethods = []\n",
            "5:11: sites[0].methods: expected at least one method",
        ),
        (
            "[[sites]]\nhosts = [\"a\"]\nname = \"a b\"\n",
            "5:8: sites[0].name: expected letters, digits, \".\", \"_\" and \"-\", at most 64, found \"a b\"",
        ),
        (
            "[[sites]]\nhosts = [\"a\"]\nname = \"default\"\n",
            "5:8: sites[0].name: \"default\" is the name of all other hosts; give it another in name",
        ),
        (
            "[[sites]]\nhosts = [\"a\"]\ninspect_body_limit = 1\n",
            "5:22: sites[0].inspect_body_limit: expected 1024 to",
        ),
        (
            "[[sites]]\nhosts = [\"a\"]\ninspect_body_limit = 1_000_000_000\n",
            "5:22: sites[0].inspect_body_limit: expected at most waf.body_memory_budget, 67108864 bytes",
        ),
        (
            "[[sites]]\nhosts = [\"a\"]\ninspect_body_limit = 60_000_000\n",
            "5:22: sites[0].inspect_body_limit: expected at most waf.body_memory_per_client, 8388608 bytes",
        ),
        ("[sites]\nhosts = [\"a\"]\n", "3:1: sites: expected [[sites]], found a table"),
        ("[[site]]\nhosts = [\"a\"]\n", "3:3: site: unknown section; did you mean [[sites]]?"),
        ("[[rate_limits]]\nrequests = 1\n", "3:1: rate_limits[0].name: missing: expected a text"),
        ("[[rate_limits]]\nname = \"a\"\n", "3:1: rate_limits[0].requests: missing: expected a whole number"),
        (
            "[[rate_limits]]\nname = \"A\"\nrequests = 1\n",
            "4:8: rate_limits[0].name: expected lower-case letters, digits, \"_\" and \"-\", at most 64, found \"A\"",
        ),
        (
            "[[rate_limits]]\nname = \"a\"\nrequests = 0\n",
            "5:12: rate_limits[0].requests: expected 1 to 1000000000",
        ),
        (
            "[[rate_limits]]\nname = \"a\"\nrequests = 1\nburst = 0\n",
            "6:9: rate_limits[0].burst: expected 1 to",
        ),
        (
            "[[rate_limits]]\nname = \"a\"\nrequests = 2\nper = 86400\nburst = 15\n",
            "7:9: rate_limits[0].burst: expected at most 14, what the rate gives in seven days",
        ),
        (
            "[[rate_limits]]\nname = \"a\"\nrequests = 1\nkey = [\"ip\"]\n",
            "6:7: rate_limits[0].key: item 1: expected address, host, path,",
        ),
        (
            "[[rate_limits]]\nname = \"a\"\nrequests = 1\nkey = [\"header:A\", \"header:a\"]\n",
            "6:7: rate_limits[0].key: header:a stands twice; give each once",
        ),
        (
            "[[rate_limits]]\nname = \"a\"\nrequests = 1\npaths = [\"/a\", \"b\"]\n",
            "6:9: rate_limits[0].paths: item 2: expected a path that begins with \"/\", found \"b\"",
        ),
    ] {
        let errors = wrong_with(tables);
        assert!(errors.starts_with(message), "{tables}: {errors}");
        assert_eq!(errors.lines().count(), 1, "one error for one mistake: {errors}");
    }
    let list = format!("sites = [1]\n{SMALLEST}");
    assert!(errors(&list).ends_with(":1:10: sites[0]: expected [[sites]], found a number"));
}

#[test]
fn no_two_tables_share_a_host_or_a_name() {
    for (tables, message) in [
        (
            "[[sites]]\nhosts = [\"a\", \"b\"]\n[[sites]]\nhosts = [\"c\", \"B\"]\n",
            "6:9: sites[1].hosts: the host \"b\" is in sites[0].hosts too; no two share one",
        ),
        (
            "[[sites]]\nhosts = [\"*.a\", \"*.A\"]\n",
            "4:9: sites[0].hosts: the host \"*.a\" is in sites[0].hosts too",
        ),
        (
            "[[sites]]\nhosts = [\"a\"]\n[[sites]]\nhosts = [\"b\"]\nname = \"a\"\n",
            "7:8: sites[1].name: the name \"a\" is in sites[0].hosts too",
        ),
        (
            "[[rate_limits]]\nname = \"a\"\nrequests = 1\n[[rate_limits]]\nname = \"a\"\nrequests = 1\n",
            "7:8: rate_limits[1].name: the name \"a\" is in rate_limits[0].name too",
        ),
    ] {
        let errors = wrong_with(tables);
        assert!(errors.starts_with(message), "{tables}: {errors}");
        assert_eq!(errors.lines().count(), 1, "one error for one mistake: {errors}");
    }
    with("[[sites]]\nhosts = [\"a\"]\n[[sites]]\nhosts = [\"*.a\"]\n");
}

#[test]
fn tables_are_given_in_the_file_alone() {
    fn refused(environment: &[(&str, &str)], sets: &[&str]) -> String {
        let layers = Layers { file: Some(SMALLEST), environment, sets, ..Layers::default() };
        layers.load().unwrap_err().to_string()
    }
    let message = "[[sites]] may stand several times, and is given in the file alone; write it there, with ${VAR} for what varies";
    for set in ["sites=a", "sites.hosts=a", "sites[0].hosts=a", "sites.0.hosts=a"] {
        let path = set.trim_end_matches("=a");
        assert_eq!(refused(&[], &[set]), format!("--set: {path}: {message}"));
    }
    for name in ["SECBEAT__SITES", "SECBEAT__SITES__HOSTS", "SECBEAT__SITES__0__HOSTS"] {
        assert_eq!(refused(&[(name, "a")], &[]), format!("environment {name}: {message}"));
    }
    assert!(refused(&[("SECBEAT__RATE_LIMITS__NAME", "a")], &[]).contains("[[rate_limits]] may stand"));
}

#[test]
fn a_reload_names_what_changed_in_which_table() {
    let changes = |old: &str, new: &str| with(old).settings.changes(&with(new).settings);
    let (a, b) = ("[[sites]]\nhosts = [\"a\"]\n", "[[sites]]\nname = \"b\"\nhosts = [\"c.example\"]\n");
    let b_off = format!("{b}waf_mode = \"off\"\n");
    let none: [&str; 0] = [];
    assert_eq!(changes(&format!("{a}{b}"), &format!("{a}{b}")).changed, none);
    let changed = changes(&format!("{a}{b}"), &format!("{b_off}{a}"));
    assert_eq!(changed.changed, ["sites.b.waf_mode"]);
    assert_eq!(changed.restart_required, none);
    assert_eq!(changes(a, b).changed, ["sites.b", "sites.a"]);
    assert_eq!(changes(&format!("{a}{b}"), &format!("{b}{a}")).changed, ["sites"]);
}

#[test]
fn every_value_is_listed_with_its_path_and_no_secret() {
    let file = "[metrics]\nviewer_token = \"0123456789abcdef\"\n[[sites]]\nhosts = [\"a\"]\ncsrf = true\n";
    let loaded = with(file);
    let values: std::collections::BTreeMap<_, _> = loaded.settings.values().collect();
    assert_eq!(values["server.backend_address"], "\"127.0.0.1:8080\"");
    assert_eq!(values["waf.csrf.enable"], "false");
    assert_eq!(values["metrics.viewer_token"], "[secret]");
    assert_eq!(values["sites[0].csrf"], "true");
    for path in ["sites[0].waf_mode", "metrics.api_token", "tls.cert_path", "sites.hosts"] {
        assert!(!values.contains_key(path), "{path}");
    }
    for path in loaded.origins.keys() {
        assert!(values.contains_key(path), "{path} was given and is not listed");
    }
}

#[test]
fn the_examples_of_the_reference_page_load() {
    let page = reference_markdown();
    let examples: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        let loaded = with(example);
        assert_eq!(loaded.warnings, [] as [&str; 0], "{example}");
    }
}
