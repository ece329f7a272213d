//! What is wrong is refused with its place, cause and remedy, all of it at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use support::{Layers, SMALLEST, errors, load};

/// The smallest file with a line more in a section of its own.
fn with(section: &str, line: &str) -> String {
    if section == "server" {
        format!("{SMALLEST}{line}\n")
    } else {
        format!("{SMALLEST}[{section}]\n{line}\n")
    }
}

#[test]
fn an_unknown_key_gives_its_place_and_the_nearest_one() {
    assert_eq!(
        errors("\n[server]\nbackend_address = \"a:80\"\n  worker_treads = 4\n"),
        "config/production.toml:4:3: server.worker_treads: unknown key; did you mean worker_threads?"
    );
}

#[test]
fn a_key_in_the_wrong_section_is_shown_its_own() {
    assert_eq!(
        errors(&with("server", "rate_limit_rps = 5")),
        "config/production.toml:3:1: server.rate_limit_rps: unknown key; did you mean waf.rate_limit_rps?"
    );
    assert!(errors("mode = \"l7\"\n").contains(":1:1: mode: unknown section; keys stand in sections"));
}

#[test]
fn an_unknown_section_gives_the_nearest_one() {
    assert!(
        errors("[servre]\nmode = \"l7\"\n")
            .starts_with("config/production.toml:1:2: servre: unknown section; did you mean [server]?")
    );
}

#[test]
fn a_key_like_no_other_is_shown_those_there_are() {
    assert!(
        errors(&with("logging", "zzz = 1"))
            .ends_with("unknown key; [logging] has level, format, file, lines_per_second")
    );
}

#[test]
fn a_wrong_type_says_what_was_expected_and_found() {
    for (section, line, message) in [
        (
            "server",
            "worker_threads = \"4\"",
            "4:18: server.worker_threads: expected a whole number, found \"4\"",
        ),
        ("server", "worker_threads = 4.5", "expected a whole number, found 4.5"),
        ("server", "reuse_port = 1", "server.reuse_port: expected true or false, found 1"),
        ("server", "trusted_proxies = \"10.0.0.0/8\"", "expected a list, each an address or a prefix"),
        ("server", "data_dir = []", "server.data_dir: expected a path, found a list"),
        ("waf", "enable = 2025-01-15", "waf.enable: expected true or false, found a date"),
        ("timeouts", "head = \"10s\"", "timeouts.head: expected a number of seconds, found \"10s\""),
    ] {
        let errors = errors(&with(section, line));
        let message = message.strip_prefix("4:18: ").unwrap_or(message);
        assert!(errors.contains(message), "{line}: {errors}");
    }
    assert!(errors("[server]\nbackend_address=\"a:1\"\nworker_threads = \"4\"").contains(".toml:3:18: "));
}

#[test]
fn an_impossible_value_says_what_is_possible() {
    for (section, line, message) in [
        ("server", "bind_address = \"0.0.0.0:0\"", "expected a port from 1 to 65535, found \"0.0.0.0:0\""),
        ("server", "bind_address = \"0.0.0.0\"", "server.bind_address: expected address:port, such as"),
        ("server", "bind_address = \"localhost:80\"", "server.bind_address: expected address:port, such as"),
        ("server", "mode = \"http\"", "server.mode: expected \"l7\" or \"tcp\" or \"syn\", found \"http\""),
        ("server", "buffer_size = 512", "expected 1024 to 1048576 bytes, found 512"),
        ("server", "buffer_size = 2_000_000", "expected 1024 to 1048576 bytes, found 2000000"),
        ("server", "max_connections = 0", "server.max_connections: expected 1 to"),
        ("server", "worker_threads = -1", "server.worker_threads: expected 0 to 1024, found -1"),
        ("server", "keepalive_timeout = -1", "expected 0.1 to 86400 seconds, found -1"),
        ("server", "keepalive_timeout = nan", "expected 0.1 to 86400 seconds, found NaN"),
        ("server", "keepalive_timeout = inf", "expected 0.1 to 86400 seconds, found inf"),
        (
            "server",
            "trusted_proxies = [\"10.0.0.1/8\"]",
            "item 1: 10.0.0.1/8 has bits beyond its length; did you mean 10.0.0.0/8?",
        ),
        (
            "server",
            "trusted_proxies = [\"10.0.0.0/8\", \"proxy\"]",
            "item 2: expected an address or a prefix",
        ),
        ("server", "data_dir = \"\"", "server.data_dir: expected a path, found \"\""),
        ("logging", "level = \"loud\"", "logging.level: expected \"error\" or"),
        (
            "logging",
            "format = \"xml\"",
            "logging.format: expected \"json\" or \"pretty\" or \"ecs\", found \"xml\"",
        ),
        ("waf", "mode = \"detect\"", "waf.mode: expected \"block\" or \"monitor\""),
        ("waf", "rate_limit_rps = 99999999999999999999", "waf.rate_limit_rps: expected 0 to 1000000000"),
        ("limits", "methods = [\"get\"]", "limits.methods: item 1: expected an HTTP method in upper case"),
        ("limits", "methods = []", "limits.methods: expected at least one method"),
        (
            "metrics",
            "allowed_hosts = [\"a:80\"]",
            "metrics.allowed_hosts: item 1: expected a host without a port",
        ),
        (
            "metrics",
            "bind_address = \"127.0.0.1:8443\"",
            "takes the port of server.bind_address, 0.0.0.0:8443",
        ),
        ("orchestrator", "url = \"orchestrator:9090\"", "orchestrator.url: expected a URL"),
        ("waf", "csrf = true", ":4:1: waf.csrf: expected a section, [waf.csrf], found true or false"),
        ("waf.csrf", "enabel = true", ":4:1: waf.csrf.enabel: unknown key; did you mean enable?"),
        (
            "waf.csrf",
            "allowed_origins = [\"https://a/b\"]",
            "waf.csrf.allowed_origins: item 1: expected an origin without a path",
        ),
        (
            "waf.csrf",
            "exempt_paths = [\"hooks\"]",
            "waf.csrf.exempt_paths: item 1: expected a path that begins with \"/\", found \"hooks\"",
        ),
        ("waf", "compression_layers_max = 9", "waf.compression_layers_max: expected 0 to 8, found 9"),
        (
            "waf",
            "body_memory_per_client = 67_108_865",
            "waf.body_memory_per_client: expected at most waf.body_memory_budget, 67108864 bytes",
        ),
        (
            "waf",
            "body_memory_per_client = 2048",
            "waf.inspect_body_limit: expected at most waf.body_memory_per_client, 2048 bytes",
        ),
        ("recorder", "bytes_max = 1024", "recorder.bytes_max: expected 1048576 to"),
        ("access_log", "format = \"common\"", "access_log.format: expected \"json\" or \"combined\""),
    ] {
        let errors = errors(&with(section, line));
        assert!(errors.contains(message), "{line}: {errors}");
        assert_eq!(errors.lines().count(), 1, "one error for one mistake: {errors}");
    }
    assert!(errors("[server]\nbackend_address = \"127.0.0.1:0\"").contains("expected host:port"));
}

#[test]
fn an_unknown_protocol_version_is_refused() {
    let file = with("tls", "cert_path = \"c\"\nkey_path = \"k\"\nprotocols = [\"TLSv1.3\", \"SSLv3\"]");
    assert!(
        errors(&file).contains("tls.protocols: item 2: expected \"TLSv1.2\" or \"TLSv1.3\", found \"SSLv3\"")
    );
    let none = with("tls", "cert_path = \"c\"\nkey_path = \"k\"\nprotocols = []");
    assert!(errors(&none).contains("tls.protocols: expected at least one"));
}

#[test]
fn half_a_certificate_is_refused() {
    assert_eq!(
        errors(&with("tls", "cert_path = \"certs/cert.pem\"")),
        "config/production.toml:3:2: tls.key_path: missing: expected a path; set it in [tls], by --set tls.key_path=… or by TLS_KEY_PATH"
    );
    assert!(errors(&with("tls", "")).contains("tls.cert_path: missing"));
    let environment = &[("TLS_KEY_PATH", "key.pem")];
    let half = Layers { file: Some(SMALLEST), environment, ..Layers::default() }.load();
    assert!(half.unwrap_err().to_string().contains("tls.cert_path: missing"));
}

#[test]
fn a_missing_backend_is_an_error_and_not_a_guess() {
    let errors = errors("[server]\nmode = \"l7\"\n");
    assert!(errors.contains("server.backend_address: missing: expected host:port"), "{errors}");
    assert!(Layers::default().load().is_err(), "no layer gives it");
}

#[test]
fn an_empty_file_and_a_missing_file_are_errors() {
    for empty in ["", "\n\n", "# nothing\n"] {
        assert_eq!(
            errors(empty),
            "config/production.toml:1:1: the file sets nothing; expected at least [server] with backend_address"
        );
    }
    let sources = secbeat_settings::Sources {
        path: Some("config/none.toml".into()),
        environment: Default::default(),
        sets: Vec::new(),
        read: &|_| Err(std::io::ErrorKind::NotFound.into()),
    };
    let error = secbeat_settings::Settings::load(&sources).unwrap_err().to_string();
    assert!(error.starts_with("config/none.toml: the configuration file cannot be read: "), "{error}");
    assert!(error.contains("MITIGATION_CONFIG"), "{error}");
}

#[test]
fn what_is_not_toml_gives_line_and_column() {
    for (file, place) in [
        ("[server]\nmode = l7\n", ":2:8: this is not TOML: "),
        ("[server]\nmode = \"l7\"\nmode = \"tcp\"\n", ":3:1: this is not TOML: duplicate key"),
        ("[server]\nx = 1\n[server]\ny = 2\n", ":3:2: this is not TOML: duplicate key"),
        ("[server\n", ":1:8: this is not TOML: "),
    ] {
        let errors = errors(file);
        assert!(errors.contains(place), "{file:?}: {errors}");
    }
}

#[test]
fn columns_count_characters() {
    assert!(errors("[server]\nbackend_address = \"a:80\"\n\"größe\" = 1\n").contains(":3:1: server.größe: "));
    assert!(errors("[\"ö\"]\na = { ü = 1, ü = 2 }").contains(":2:14: "));
}

#[test]
fn all_errors_are_reported_in_order() {
    let file =
        "[server]\nmode = \"x\"\nbackend_address = 1\n[waf]\nenabel = true\n[logging]\nlevel = 3\n[nope]\n";
    let environment = &[("SECBEAT__WAF__ENABEL", "true"), ("WORKER_THREADS", "many")];
    let layers =
        Layers { file: Some(file), environment, sets: &["waf.enable", "waf.mode=x"], ..Layers::default() };
    let errors = layers.load().unwrap_err().to_string();
    let starts: Vec<&str> = errors.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        starts,
        [
            "config/production.toml:2:8",
            "config/production.toml:3:19",
            "config/production.toml:5:1",
            "config/production.toml:7:9",
            "config/production.toml:8:2",
            "environment SECBEAT__WAF__ENABEL",
            "environment WORKER_THREADS",
            "--set",
            "--set",
        ],
        "{errors}"
    );
}

#[test]
fn a_wrong_name_in_the_environment_or_on_the_command_line_gives_the_nearest_one() {
    let of = |environment, sets| Layers { file: Some(SMALLEST), environment, sets, ..Layers::default() };
    assert_eq!(
        of(&[("SECBEAT__WAF__ENABEL", "true")], &[]).load().unwrap_err().to_string(),
        "environment SECBEAT__WAF__ENABEL: it names no key; did you mean SECBEAT__WAF__ENABLE?"
    );
    assert_eq!(
        of(&[], &["waf.rate_limit=5"]).load().unwrap_err().to_string(),
        "--set: waf.rate_limit: unknown key; did you mean rate_limit_rps?"
    );
    assert_eq!(
        of(&[], &["wav.mode=block"]).load().unwrap_err().to_string(),
        "--set: wav.mode: unknown key; did you mean waf.mode?"
    );
    assert!(of(&[], &["waf.enable"]).load().unwrap_err().to_string().contains("expected section.key=value"));
}

#[test]
fn an_unset_variable_is_an_error_that_names_it() {
    assert_eq!(
        errors("[server]\nbackend_address = \"${BACKEND}:80\"\n"),
        "config/production.toml:2:19: server.backend_address: the variable BACKEND is not set; set it, or write ${BACKEND:-a default}"
    );
    assert!(errors(&with("server", "trusted_proxies = [\"${LB}\"]")).contains("the variable LB is not set"));
    assert!(errors(&with("metrics", "api_token = \"${TOKEN}\"")).contains("the variable TOKEN is not set"));
}

#[test]
fn a_placeholder_is_not_a_secret_and_no_secret_is_shown() {
    let error = errors(&with("syn_proxy", "syn_cookie_secret = \"your-secret-key\""));
    assert!(error.contains(":4:21: syn_proxy.syn_cookie_secret: this is a placeholder"), "{error}");
    let error = errors(&with("metrics", "api_token = \"hunter2\""));
    assert!(error.contains("expected at least 16 characters") && !error.contains("hunter2"), "{error}");
    let error = errors(&with("metrics", "api_token = 271828182845904523"));
    assert!(error.contains("expected a secret") && !error.contains("2718"), "{error}");
}

#[test]
fn a_secret_is_given_once_and_its_file_must_be_there() {
    let both = with("metrics", "api_token = \"0123456789abcdef\"\napi_token_file = \"token\"");
    assert!(errors(&both).contains("metrics.api_token_file: give api_token or api_token_file, not both"));
    let missing = with("metrics", "api_token_file = \"token\"");
    assert!(errors(&missing).contains("metrics.api_token_file: the secret in token cannot be read"));
}

#[test]
fn a_secret_that_looks_like_a_variable_is_not_shown_in_the_error() {
    let error = errors(&with("metrics", "api_token = \"${hunter2 hunter2\""));
    assert!(error.contains("is written $$") && !error.contains("hunter2"), "{error}");
    let sets = &["metrics.api_token:hunter2"];
    let error = Layers { file: Some(SMALLEST), sets, ..Layers::default() }.load().unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_backend_that_is_the_node_itself_is_refused() {
    for (bind, backend) in [
        ("0.0.0.0:8443", "127.0.0.1:8443"),
        ("[::]:8443", "localhost:8443"),
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("192.0.2.1:80", "192.0.2.1:80"),
    ] {
        let errors =
            errors(&format!("[server]\nbind_address = \"{bind}\"\nbackend_address = \"{backend}\"\n"));
        assert!(errors.contains(":3:19: server.backend_address: leads to server.bind_address"), "{errors}");
    }
    for (bind, backend) in
        [("0.0.0.0:80", "10.0.0.5:80"), ("192.0.2.1:80", "127.0.0.1:80"), ("[::]:80", "app:80")]
    {
        load(&format!("[server]\nbind_address = \"{bind}\"\nbackend_address = \"{backend}\"\n")).unwrap();
    }
}

#[test]
fn a_name_that_is_not_built_is_refused_in_every_layer() {
    let refused = |environment, sets| {
        let layers = Layers { file: Some(SMALLEST), environment, sets, ..Layers::default() };
        layers.load().unwrap_err().to_string()
    };
    for told in [refused(&[("SECBEAT__BACKENDS", "1")], &[]), refused(&[], &["backends.a=1"])] {
        assert!(told.contains("not built in this version; give one backend"), "{told}");
    }
}

#[test]
fn a_file_with_a_byte_order_mark_and_carriage_returns_is_read() {
    load(&format!("\u{feff}{}", SMALLEST.replace('\n', "\r\n"))).unwrap();
}

#[test]
fn an_orchestrator_needs_one_address_or_several() {
    assert!(errors(&with("orchestrator", "register_interval = 30")).contains("orchestrator.url: missing"));
    let both = "url = \"http://a:1\"\nurls = [\"http://b:1\"]";
    assert!(errors(&with("orchestrator", both)).contains("orchestrator.urls: give url or urls, not both"));
}

#[test]
fn the_token_of_those_who_only_look_is_another() {
    let both = "api_token = \"0123456789abcdef\"\nviewer_token = \"0123456789abcdef\"";
    assert!(errors(&with("metrics", both)).ends_with(
        ":5:16: metrics.viewer_token: it is metrics.api_token too, which may do everything; give each its own"
    ));
    let placeholder = errors(&with("metrics", "viewer_token = \"your-viewer-token\""));
    assert!(placeholder.contains(":4:16: metrics.viewer_token: this is a placeholder"), "{placeholder}");
}

#[test]
fn two_logs_do_not_share_a_file() {
    let file =
        format!("{SMALLEST}[logging]\nfile = \"a.log\"\n[access_log]\nenable = true\nfile = \"a.log\"\n");
    assert!(errors(&file).ends_with(":7:8: access_log.file: it is logging.file too; give each its own"));
}

#[test]
fn a_socket_has_a_path_that_the_kernel_takes() {
    let socket = |length| with("metrics", &format!("unix_socket = \"{}\"", "a".repeat(length)));
    load(&socket(107)).unwrap();
    assert!(errors(&socket(108)).contains("metrics.unix_socket: expected a path of at most 107 bytes"));
}

#[test]
fn what_one_client_may_hold_follows_the_other_limits_until_it_is_given() {
    let held = |lines: &str| load(&with("waf", lines)).unwrap().settings.waf.body_memory_per_client;
    assert_eq!(held(""), 8_388_608);
    assert_eq!(held("inspect_body_limit = 16_777_216"), 16_777_216);
    assert_eq!(held("body_memory_budget = 131_072"), 131_072);
}

#[test]
fn what_does_nothing_is_told() {
    for (section, line, warning) in [
        ("waf.csrf", "require = true", "waf.csrf.require does nothing while waf.csrf.enable is false"),
        (
            "sandbox",
            "enable = false\nrequired = true",
            "sandbox.required does nothing while sandbox.enable is false",
        ),
    ] {
        assert_eq!(load(&with(section, line)).unwrap().warnings, [warning]);
    }
    let on_one_site =
        format!("{SMALLEST}[waf.csrf]\nrequire = true\n[[sites]]\nhosts = [\"a\"]\ncsrf = true\n");
    assert_eq!(load(&on_one_site).unwrap().warnings, [] as [&str; 0]);
}

#[test]
fn names_to_mask_are_compared_in_lower_case() {
    let recorder = load(&with("recorder", "mask_headers = [\"X-Key\"]")).unwrap().settings.recorder;
    assert_eq!(recorder.mask_headers, ["x-key"]);
    assert!(recorder.mask_parameters.contains(&"password".to_owned()));
}
