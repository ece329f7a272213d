//! Which layer wins, and what is known of each value.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use secbeat_settings::{Level, Mode, Origin, Settings, TlsVersion};
use std::path::Path;
use std::time::Duration;
use support::{Layers, SMALLEST, load};

fn with_environment(environment: &[(&str, &str)]) -> secbeat_settings::Loaded {
    Layers { file: Some(SMALLEST), environment, ..Layers::default() }.load().unwrap()
}

#[test]
fn the_command_line_wins_over_the_environment_over_the_file_over_the_default() {
    let file = format!("{SMALLEST}[waf]\nrate_limit_rps = 1\n");
    let environment: &[_] = &[("SECBEAT__WAF__RATE_LIMIT_RPS", "2")];
    let sets: &[_] = &["waf.rate_limit_rps=3", "waf.rate_limit_rps=4"];
    let rate = |file, environment, sets| {
        let loaded = Layers { file: Some(file), environment, sets, ..Layers::default() }.load().unwrap();
        (loaded.settings.waf.rate_limit_rps, loaded.origin("waf.rate_limit_rps").clone())
    };
    let path = "config/production.toml".into();
    assert_eq!(rate(SMALLEST, &[], &[]), (0, Origin::Default));
    assert_eq!(rate(&file, &[], &[]), (1, Origin::File { path, line: 4, column: 18 }));
    assert_eq!(
        rate(&file, environment, &[]),
        (2, Origin::Environment("SECBEAT__WAF__RATE_LIMIT_RPS".into()))
    );
    assert_eq!(rate(&file, environment, sets), (4, Origin::CommandLine));
}

#[test]
fn every_short_name_of_the_environment_acts() {
    let loaded = with_environment(&[
        ("MITIGATION_MODE", "tcp"),
        ("SYN_COOKIE_SECRET", "0123456789abcdef0123456789abcdef"),
        ("TLS_CERT_PATH", "/etc/ssl/certs/secbeat.pem"),
        ("TLS_KEY_PATH", "/etc/ssl/private/secbeat.key"),
        ("WORKER_THREADS", "8"),
        ("MAX_CONNECTIONS", "20000"),
        ("BUFFER_SIZE", "8192"),
        ("RUST_LOG", "debug"),
    ]);
    let Settings { server, syn_proxy, tls, logging, .. } = loaded.settings;
    assert_eq!(server.mode, Mode::Tcp);
    assert_eq!(syn_proxy.syn_cookie_secret.unwrap().expose(), "0123456789abcdef0123456789abcdef");
    let tls = tls.unwrap();
    assert_eq!(tls.cert_path, Path::new("/etc/ssl/certs/secbeat.pem"));
    assert_eq!(tls.key_path, Path::new("/etc/ssl/private/secbeat.key"));
    assert_eq!(tls.protocols, [TlsVersion::V1_3, TlsVersion::V1_2]);
    assert_eq!((server.worker_threads, server.max_connections, server.buffer_size), (8, 20_000, 8192));
    assert_eq!(logging.level, Level::Debug);
    assert_eq!(loaded.warnings, [] as [&str; 0]);
}

#[test]
fn the_long_name_wins_over_the_short_one_with_a_warning() {
    let loaded = with_environment(&[("WORKER_THREADS", "2"), ("SECBEAT__SERVER__WORKER_THREADS", "3")]);
    assert_eq!(loaded.settings.server.worker_threads, 3);
    assert_eq!(
        loaded.warnings,
        ["WORKER_THREADS and SECBEAT__SERVER__WORKER_THREADS differ; \
          SECBEAT__SERVER__WORKER_THREADS is used for server.worker_threads"]
    );
}

#[test]
fn rust_log_gives_the_global_level_and_says_what_it_ignores() {
    let loaded = with_environment(&[("RUST_LOG", "hyper=debug,WARN,rustls=trace")]);
    assert_eq!(loaded.settings.logging.level, Level::Warn);
    assert_eq!(loaded.warnings, ["RUST_LOG: per-module levels are ignored: hyper=debug,rustls=trace"]);
    let targets_only = with_environment(&[("RUST_LOG", "hyper=debug")]);
    assert_eq!(targets_only.settings.logging.level, Level::Info);
    assert_eq!(targets_only.warnings.len(), 1);
    let environment = &[("RUST_LOG", "loud")];
    assert!(Layers { file: Some(SMALLEST), environment, ..Layers::default() }.load().is_err());
}

#[test]
fn an_empty_variable_of_the_environment_is_an_error() {
    let environment = &[("WORKER_THREADS", "")];
    let error = Layers { file: Some(SMALLEST), environment, ..Layers::default() }.load().unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment WORKER_THREADS: server.worker_threads: it is empty; unset it, or give a whole number"
    );
}

#[test]
fn variables_stand_for_values_of_any_type() {
    let file = "[server]\nbackend_address = \"${HOST}:${PORT:-8080}\"\nworker_threads = \"${CORES}\"\n\
                trusted_proxies = \"${PROXIES}\"\ndata_dir = \"$$x\"\n";
    let environment = &[("HOST", "backend"), ("CORES", "6"), ("PROXIES", "10.0.0.0/8, 192.0.2.1")];
    let loaded = Layers { file: Some(file), environment, ..Layers::default() }.load().unwrap();
    let server = loaded.settings.server;
    assert_eq!(server.backend_address.to_string(), "backend:8080");
    assert_eq!(server.worker_threads, 6);
    assert_eq!(server.trusted_proxies, ["10.0.0.0/8".parse().unwrap(), "192.0.2.1/32".parse().unwrap()]);
    assert_eq!(server.data_dir, Path::new("$x"));
}

#[test]
fn an_unset_cookie_secret_is_left_to_be_made_and_warned_about() {
    let file =
        format!("{SMALLEST}[syn_proxy]\nenable = true\nsyn_cookie_secret = \"${{SYN_COOKIE_SECRET}}\"\n");
    let loaded = load(&file).unwrap();
    assert_eq!(loaded.settings.syn_proxy.syn_cookie_secret, None);
    assert_eq!(loaded.warnings.len(), 1);
    assert!(loaded.warnings[0].contains("a random one is made and kept in data"), "{:?}", loaded.warnings);
    let environment = &[("SYN_COOKIE_SECRET", "0123456789abcdef")];
    let loaded = Layers { file: Some(&file), environment, ..Layers::default() }.load().unwrap();
    assert_eq!(loaded.settings.syn_proxy.syn_cookie_secret.unwrap().expose(), "0123456789abcdef");
    assert_eq!(loaded.warnings, [] as [&str; 0]);
}

#[test]
fn a_secret_comes_from_its_file_unless_a_higher_layer_gives_one() {
    let file = format!("{SMALLEST}[metrics]\napi_token_file = \"/run/token\"\n");
    let files = &[("/run/token", "fedcba9876543210\r\n")];
    let layers = Layers { file: Some(&file), files, ..Layers::default() };
    let loaded = layers.load().unwrap();
    assert_eq!(loaded.settings.metrics.api_token.as_ref().unwrap().expose(), "fedcba9876543210");
    assert_eq!(loaded.settings.show("metrics.api_token"), "[secret]");
    assert!(!format!("{loaded:?}").contains("fedcba"));
    let sets = &["metrics.api_token=0123456789abcdef"];
    let loaded = Layers { file: Some(&file), files, sets, ..Layers::default() }.load().unwrap();
    assert_eq!(loaded.settings.metrics.api_token.unwrap().expose(), "0123456789abcdef");
    let empty = Layers { file: Some(&file), files: &[("/run/token", "\n")], ..Layers::default() }.load();
    assert!(empty.unwrap_err().to_string().contains("/run/token: expected at least 16 characters"));
}

#[test]
fn absent_sections_are_absent_and_all_others_have_their_defaults() {
    let loaded = load(SMALLEST).unwrap();
    assert_eq!(loaded.settings, Settings::default());
    assert_eq!(loaded.settings.tls, None);
    assert_eq!(loaded.settings.orchestrator, None);
    assert_eq!(loaded.settings.metrics.bind_address.to_string(), "127.0.0.1:9191");
}

#[test]
fn times_are_seconds_whole_or_with_a_fraction() {
    let loaded = load(&format!("{SMALLEST}keepalive_timeout = 75\n[timeouts]\nconnect = 0.5\n")).unwrap();
    assert_eq!(loaded.settings.server.keepalive_timeout, Duration::from_secs(75));
    assert_eq!(loaded.settings.timeouts.connect, Duration::from_millis(500));
}

#[test]
fn a_reload_says_what_changed_and_what_waits_for_a_restart() {
    let old = load(SMALLEST).unwrap().settings;
    let file = format!(
        "{SMALLEST}worker_threads = 3\n[waf]\nrate_limit_rps = 9\n[metrics]\napi_token = \"0123456789abcdef\"\n"
    );
    let new = load(&file).unwrap().settings;
    let changes = old.changes(&new);
    assert_eq!(changes.changed, ["server.worker_threads", "waf.rate_limit_rps", "metrics.api_token"]);
    assert_eq!(changes.restart_required, ["server.worker_threads"]);
    assert_eq!(new.changes(&new), Default::default());
}

#[test]
fn https_instead_of_http_waits_for_a_restart_and_another_certificate_does_not() {
    let tls = |name| format!("{SMALLEST}[tls]\ncert_path = \"{name}.pem\"\nkey_path = \"key.pem\"\n");
    let (http, one, two) = (load(SMALLEST).unwrap(), load(&tls("one")).unwrap(), load(&tls("two")).unwrap());
    let changes = http.settings.changes(&one.settings);
    assert_eq!(changes.restart_required, ["tls.cert_path", "tls.key_path", "tls.protocols"]);
    let changes = one.settings.changes(&two.settings);
    assert_eq!((changes.changed, changes.restart_required), (vec!["tls.cert_path".to_owned()], vec![]));
}
