//! Every key of the configuration is shown at work: by the test that is named here, or by a row of a table in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_settings::{keys, table_keys};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The keys of each section, with the file and the test that shows them. Files without a folder are beside this one.
const SHOWN: &[(&str, &str, &str, &str)] = &[
    ("server", "mode", "configuration.rs", "what_is_not_built_is_refused_by_name"),
    (
        "server",
        "bind_address data_dir",
        "configuration.rs",
        "a_second_start_on_the_same_port_or_data_folder_is_refused_with_its_reason",
    ),
    ("server", "backend_address", "reload.rs", "a_new_backend_gets_the_very_next_request"),
    ("server", "worker_threads", "configuration.rs", "the_guides_environment_names_act"),
    ("server", "max_connections trusted_proxies", "keys.rs", ACTS),
    ("server", "buffer_size", "sockets.rs", "a_socket_is_read_a_buffer_at_a_time"),
    (
        "server",
        "keepalive_timeout",
        "timeouts.rs",
        "an_idle_connection_is_closed_between_requests_and_never_in_one",
    ),
    ("server", "reuse_port", "configuration.rs", "two_nodes_share_a_port_where_both_are_told_to"),
    (
        "server",
        "shutdown_timeout",
        "configuration.rs",
        "a_stop_finishes_what_is_under_way_and_takes_nothing_new",
    ),
    ("syn_proxy", "enable required", "configuration.rs", "what_is_not_built_is_refused_by_name"),
    ("syn_proxy", "max_syn_backlog syn_cookie_secret_file", "configuration.rs", MISSING),
    (
        "syn_proxy",
        "syn_cookie_secret",
        "first_light.rs",
        "production_toml_starts_without_privileges_a_certificate_or_a_secret",
    ),
    (
        "waf",
        "enable mode rules_path block_suspicious rate_limit_rps inspect_body_limit compression_ratio_max \
         compression_layers_max",
        "keys.rs",
        ACTS,
    ),
    (
        "waf",
        "body_memory_budget",
        "bodies.rs",
        "bodies_under_inspection_share_a_budget_and_one_too_many_is_503",
    ),
    ("waf", "on_body_over_limit", "bodies.rs", "the_limit_of_uploads_and_that_of_inspection_are_two"),
    (
        "waf",
        "body_memory_per_client",
        "shares.rs",
        "a_client_that_holds_its_part_of_the_memory_for_bodies_leaves_the_rest_to_others",
    ),
    ("waf", "include", "seclang.rs", "files_are_read_by_patterns_in_order_and_one_that_is_missing_is_named"),
    (
        "waf",
        "inspect_response_limit inspect_response_types",
        "crs_answers.rs",
        "an_answer_that_gives_away_too_much_does_not_go_out",
    ),
    (
        "waf",
        "work_budget on_budget",
        "seclang.rs",
        "work_beyond_the_budget_is_stopped_or_goes_on_and_is_told",
    ),
    ("waf.crs", "outbound_threshold", "crs_answers.rs", "an_answer_that_gives_away_too_much_does_not_go_out"),
    (
        "waf.crs",
        "enable path setup paranoia_level detection_paranoia_level inbound_threshold",
        "crs_policy.rs",
        "each_key_of_the_rule_set_acts_at_a_reload_and_its_old_value_acts_again_at_the_next",
    ),
    ("audit_log", "enable file", "seclang.rs", "what_rules_find_is_in_the_audit_log_without_what_is_secret"),
    ("waf.csrf", "enable mode allowed_origins exempt_paths require", "keys.rs", ACTS),
    ("metrics", "enable", "doors.rs", "a_node_without_an_api_serves_its_site"),
    (
        "metrics",
        "bind_address api_token",
        "operator_api.rs",
        "from_elsewhere_a_call_needs_the_token_and_without_one_there_is_no_call",
    ),
    (
        "metrics",
        "api_token_file viewer_token_file",
        "doors.rs",
        "tokens_are_read_from_their_files_and_again_at_a_reload",
    ),
    ("metrics", "viewer_token", "openapi.rs", "from_elsewhere_each_call_asks_for_the_token_that_it_needs"),
    ("metrics", "allowed_hosts", "keys.rs", ACTS),
    ("metrics", "unix_socket", "doors.rs", "whoever_may_open_the_unix_socket_may_make_every_call"),
    ("logging", "level", "telemetry.rs", "levels_say_what_is_left_out"),
    ("logging", "format", "telemetry.rs", "pretty_lines_are_for_people"),
    ("logging", "file", "telemetry.rs", "sighup_opens_the_log_anew_after_logrotate_moved_it"),
    (
        "logging",
        "lines_per_second",
        "telemetry.rs",
        "lines_about_attacks_beyond_a_few_each_second_are_counted_in_one",
    ),
    (
        "access_log",
        "enable format file",
        "records.rs",
        "each_request_is_a_line_of_the_access_log_while_it_is_switched_on",
    ),
    (
        "recorder",
        "enable sample_every",
        "records.rs",
        "what_was_stopped_is_recorded_with_a_sample_of_the_rest",
    ),
    ("recorder", "bytes_max", "records.rs", "the_oldest_records_make_room"),
    (
        "recorder",
        "bodies body_bytes_max",
        "records.rs",
        "bodies_are_recorded_where_that_is_asked_for_and_no_more_of_them",
    ),
    ("recorder", "mask_headers mask_parameters", "records.rs", "what_is_to_be_masked_is_nowhere_on_the_disk"),
    ("retention", "events", "crates/telemetry/src/events/tests.rs", "what_is_too_old_is_forgotten"),
    ("retention", "records", "records.rs", "records_that_are_too_old_are_gone"),
    ("retention", "anonymize_addresses", "records.rs", "addresses_are_cut_where_that_is_asked_for"),
    ("error_pages", "html json", "keys.rs", ACTS),
    (
        "performance",
        "enable_tcp_nodelay",
        "sockets.rs",
        "small_writes_to_clients_are_sent_at_once_unless_that_is_switched_off",
    ),
    (
        "performance",
        "enable_tcp_fastopen",
        "sockets.rs",
        "data_in_the_first_packet_is_taken_where_that_is_switched_on",
    ),
    ("performance", "backlog_size", "sockets.rs", "the_kernel_holds_as_many_connections_as_it_is_told_to"),
    ("limits", "methods target_bytes_max header_count_max header_bytes_max body_bytes_max", "keys.rs", ACTS),
    ("limits", "connections_per_address", "shares.rs", "one_more_than_a_client_may_have_is_closed_and_told"),
    ("timeouts", "head first_byte", "keys.rs", ACTS),
    ("timeouts", "body", "timeouts.rs", "a_body_that_trickles_is_408_whether_it_is_held_or_streams"),
    ("timeouts", "connect", "timeouts.rs", "a_backend_that_does_not_take_the_connection_is_504"),
    ("timeouts", "response_idle", "timeouts.rs", "an_answer_that_stands_still_is_broken_off_and_never_ended"),
    ("timeouts", "tunnel_idle", "timeouts.rs", "a_tunnel_that_is_silent_is_closed"),
    (
        "timeouts",
        "upstream_keepalive",
        "timeouts.rs",
        "a_ready_connection_to_the_backend_is_not_kept_for_ever",
    ),
    ("sandbox", "enable", "protection.rs", "without_it_the_node_may_do_as_before"),
    ("sandbox", "required", "mitigation-node/src/sandbox/tests.rs", "without_landlock"),
    (
        "sandbox",
        "read_paths write_paths",
        "protection.rs",
        "a_folder_that_is_listed_may_be_used_by_a_later_reload",
    ),
    ("tls", "cert_path key_path", "configuration.rs", "the_guides_environment_names_act"),
    ("tls", "protocols", "configuration.rs", "tls_offers_the_versions_that_are_configured_and_no_others"),
    (
        "orchestrator",
        "url",
        "first_light.rs",
        "production_toml_starts_without_privileges_a_certificate_or_a_secret",
    ),
    (
        "orchestrator",
        "urls join_token join_token_file ca_pin register_interval heartbeat_interval",
        "configuration.rs",
        MISSING,
    ),
    ("sites", "name", "sites.rs", "a_request_that_is_explained_names_its_site"),
    ("sites", "hosts", "sites.rs", "a_host_is_its_sites_in_every_spelling_and_the_closest_site_has_it"),
    (
        "sites",
        "waf_mode rules_path rules_disabled rate_limit_rps body_bytes_max inspect_body_limit methods csrf \
         error_page_html error_page_json",
        "sites.rs",
        "each_key_of_a_site_acts_for_its_hosts_alone",
    ),
    (
        "rate_limits",
        "name",
        "rates.rs",
        "the_first_limit_that_refuses_is_named_and_those_before_it_have_counted",
    ),
    (
        "rate_limits",
        "key",
        "rates.rs",
        "each_part_of_a_request_can_be_counted_apart_and_all_the_others_together",
    ),
    ("rate_limits", "requests burst", "rates.rs", "exactly_the_burst_passes_over_all_workers"),
    ("rate_limits", "per", "rates.rs", "who_waits_as_long_as_told_is_served"),
    ("rate_limits", "hosts paths methods", "rates.rs", "a_limit_is_for_its_hosts_paths_and_methods_alone"),
    ("rate_limits", "mode", "rates.rs", "a_limit_in_monitor_mode_lets_pass_and_tells"),
];

/// A row of a table: before, at work by a reload, and back again by the next.
const ACTS: &str = "each_key_acts_at_a_reload_and_its_old_value_acts_again_at_the_next";

/// What cannot act yet.
const MISSING: &str = "what_is_read_and_not_built_is_checked_and_said_to_be_missing";

#[test]
fn every_key_is_shown_at_work_and_none_that_is_not_there() {
    let known: BTreeSet<String> = keys().chain(table_keys()).map(|key| key.path()).collect();
    let shown: BTreeSet<String> = SHOWN
        .iter()
        .flat_map(|(section, names, ..)| {
            names.split_whitespace().map(move |name| format!("{section}.{name}"))
        })
        .collect();
    let missing: Vec<&String> = known.difference(&shown).collect();
    assert!(missing.is_empty(), "shown by no test, add one and name it here: {missing:?}");
    let unknown: Vec<&String> = shown.difference(&known).collect();
    assert!(unknown.is_empty(), "no such keys: {unknown:?}");
}

#[test]
fn every_test_that_is_named_is_there_and_names_its_keys() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (section, names, file, test) in SHOWN {
        let folder = if file.contains('/') { here.join("..") } else { here.join("tests") };
        let text = fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let at = text.find(&format!("fn {test}()")).unwrap_or_else(|| panic!("{file} has no test {test}"));
        let before: Vec<&str> = text[..at].trim_end().lines().rev().take(2).map(str::trim).collect();
        assert!(before.contains(&"#[test]"), "{file}: {test} is no test");
        for name in names.split_whitespace() {
            let key = keys().find(|key| key.section == *section && key.name == name);
            let by_alias = key.and_then(|key| key.alias).is_some_and(|alias| text.contains(alias));
            assert!(by_alias || text.contains(name), "{file} does not speak of {section}.{name}");
        }
    }
}
