//! For all inputs: nothing panics, and a value means the same in every layer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use proptest::prelude::*;
use secbeat_settings::{HostPattern, Key, Kind, keys, table_keys};
use support::{Layers, SMALLEST, load};

/// A value of a key as TOML, and as it is written in the environment.
type Written = (String, String);

fn number(range: Option<(f64, f64)>) -> (f64, f64) {
    range.unwrap_or((0.0, 1e6))
}

fn text(pattern: &str) -> BoxedStrategy<Written> {
    proptest::string::string_regex(pattern).unwrap().prop_map(|text| (format!("{text:?}"), text)).boxed()
}

/// Values that a key of this kind takes.
fn values(kind: Kind, range: Option<(f64, f64)>) -> BoxedStrategy<Written> {
    let plain = |text: String| (text.clone(), text);
    let (min, max) = number(range);
    match kind {
        Kind::Boolean => any::<bool>().prop_map(move |flag| plain(flag.to_string())).boxed(),
        Kind::Integer => (min as u64..=max as u64).prop_map(move |number| plain(number.to_string())).boxed(),
        Kind::Seconds => prop_oneof![
            (min.ceil() as u64..=max as u64).prop_map(move |number| plain(number.to_string())),
            (min..=max).prop_map(move |number| plain(format!("{number:?}"))),
        ]
        .boxed(),
        Kind::Text => text("[0-9a-f]{64}"),
        Kind::Method => text("[A-Z]{1,10}"),
        Kind::HostPattern => text("(\\*\\.)?[a-z]{1,10}\\.[a-z]{1,10}"),
        Kind::RateKey => {
            text("address|host|path|method|user_agent|header:[a-z-]{1,10}|cookie:[A-Za-z]{1,10}")
        }
        Kind::WebOrigin => text("https?://[a-z]{1,10}(:[1-9][0-9]{0,3})?"),
        Kind::Host => text("[a-z]{1,10}(\\.[a-z]{1,10})?"),
        Kind::Path => text("[a-z./]{1,20}"),
        Kind::Address => text("(10\\.[1-9]\\.[1-9]\\.[1-9]|\\[2001:db8::[1-9]\\]):[1-9][0-9]{0,3}"),
        Kind::HostPort => text("([a-z]{1,10}|10\\.1\\.1\\.[1-9]|\\[::1\\]):[1-9][0-9]{0,3}"),
        Kind::Prefix => text("10\\.[1-9]\\.0\\.0/16|2001:db8::/32|192\\.0\\.2\\.[1-9]"),
        Kind::Url => text("https?://[a-z]{1,10}(:[1-9][0-9]{0,3})?(/[a-z]{0,5})?"),
        Kind::Secret => text("[A-Za-z0-9+/]{32}")
            .prop_filter("a placeholder", |(_, text)| secbeat_settings::Secret::new(text).is_ok())
            .boxed(),
        Kind::Choice(words) => {
            proptest::sample::select(words).prop_map(|word| (format!("{word:?}"), word.to_owned())).boxed()
        }
        Kind::List(of) => proptest::collection::vec(values(*of, range), 1..4)
            .prop_map(|items| {
                let (toml, plain): (Vec<_>, Vec<_>) = items.into_iter().unzip();
                (format!("[{}]", toml.join(", ")), plain.join(","))
            })
            .boxed(),
    }
}

/// Values that a key takes.
fn values_of(key: &Key) -> BoxedStrategy<Written> {
    match key.name {
        "exempt_paths" | "paths" => {
            text("/[a-z/*]{0,20}").prop_map(|(toml, plain)| (format!("[{toml}]"), plain)).boxed()
        }
        _ => values(key.kind, key.range),
    }
}

/// What else must be there for a key to be read.
fn around(key: &Key) -> Vec<&'static str> {
    match (key.section, key.name) {
        ("tls", _) => vec!["tls.cert_path=c", "tls.key_path=k"],
        ("orchestrator", "url" | "urls") => vec![],
        ("orchestrator", _) => vec!["orchestrator.url=http://a"],
        ("waf", "body_memory_budget") => vec!["waf.inspect_body_limit=1024"],
        ("waf", "body_memory_per_client") => {
            vec!["waf.inspect_body_limit=1024", "waf.body_memory_budget=1099511627776"]
        }
        ("waf", "inspect_body_limit") => vec!["waf.body_memory_budget=1099511627776"],
        _ => vec![],
    }
}

fn any_key_and_value() -> impl Strategy<Value = (&'static Key, Written)> {
    let keys: Vec<&'static Key> = keys().collect();
    proptest::sample::select(keys).prop_flat_map(|key| (Just(key), values_of(key)))
}

/// A file with one table, complete but for `value` of `key`.
fn table_file(key: &Key, value: &str) -> String {
    let line = format!("{} = {value}\n", key.name);
    let required = match key.section {
        "sites" => "hosts = [\"a\"]\n",
        _ => "name = \"a\"\nrequests = 1000\n",
    };
    let others = required.lines().filter(|line| !line.starts_with(&format!("{} ", key.name)));
    let others: String = others.map(|line| format!("{line}\n")).collect();
    format!(
        "{SMALLEST}[waf]\nbody_memory_budget = 1099511627776\nbody_memory_per_client = 1099511627776\n[[{}]]\n{others}{line}",
        key.section
    )
}

fn same_in_every_layer(key: &'static Key, (toml, plain): &Written) {
    let context: Vec<&str> =
        around(key).into_iter().filter(|set| !set.starts_with(&format!("{}=", key.path()))).collect();
    // A secret's file must be there, whatever it is called.
    let files: &[_] = &[(plain.as_str(), "0123456789abcdef")];
    let file = match key.name {
        "backend_address" => format!("[server]\nbackend_address = {toml}\n"),
        _ if key.section == "server" => format!("{SMALLEST}{} = {toml}\n", key.name),
        _ => format!("{SMALLEST}[{}]\n{} = {toml}\n", key.section, key.name),
    };
    let by_file = Layers { file: Some(&file), sets: &context, files, ..Layers::default() }.load().unwrap();
    let variable = key.variable();
    let environment: &[_] = &[(variable.as_str(), plain.as_str())];
    let by_environment = Layers { file: Some(SMALLEST), environment, sets: &context, files }.load().unwrap();
    let set = format!("{}={plain}", key.path());
    let mut sets = context.clone();
    sets.push(&set);
    let by_set = Layers { file: Some(SMALLEST), sets: &sets, files, ..Layers::default() }.load().unwrap();
    assert_eq!(by_file.settings, by_environment.settings, "{} = {toml}", key.path());
    assert_eq!(by_file.settings, by_set.settings, "{} = {toml}", key.path());
    if let Some(alias) = key.alias {
        let environment: &[_] = &[(alias, plain.as_str())];
        let by_alias = Layers { file: Some(SMALLEST), environment, sets: &context, files }.load().unwrap();
        assert_eq!(by_file.settings, by_alias.settings, "{alias}={plain}");
    }
    assert!(!by_file.settings.show(&key.path()).is_empty(), "{} = {toml} set nothing", key.path());
    if matches!(key.kind, Kind::Boolean | Kind::Integer | Kind::Text | Kind::Path | Kind::Choice(_)) {
        assert_eq!(by_file.settings.show(&key.path()), *toml);
    }
    // What is shown is TOML that means the same.
    if !key.is_secret() {
        let shown = by_file.settings.show(&key.path());
        let again = file.replacen(&format!("{} = {toml}", key.name), &format!("{} = {shown}", key.name), 1);
        let again = Layers { file: Some(&again), sets: &context, files, ..Layers::default() }.load().unwrap();
        assert_eq!(by_file.settings, again.settings, "{} = {shown}", key.path());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_means_the_same_in_every_layer((key, written) in any_key_and_value()) {
        same_in_every_layer(key, &written);
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = load(&text).map_err(|errors| errors.to_string());
    }

    #[test]
    fn no_text_that_looks_like_a_configuration_panics(
        text in "(\\[{1,2}(server|waf|tls|sites|rate_limits|waf\\.csrf|[a-zü]{1,5})\\]{1,2}|[a-z_.]{1,8}|mode|=|\"|\\$\\{|\\}|[0-9]{1,30}|inf|-|\\[|\\]|,|\n| |ü|\r){0,40}"
    ) {
        let _ = load(&text).map_err(|errors| errors.to_string());
    }

    #[test]
    fn no_value_of_any_key_panics(
        (key, text) in (proptest::sample::select(keys().collect::<Vec<_>>()), any::<String>())
    ) {
        let set = format!("{}={text}", key.path());
        let _ = Layers { file: Some(SMALLEST), sets: &[&set], ..Layers::default() }.load();
        let _ = load(&format!("{SMALLEST}[{}]\n{} = {text}\n", key.section, key.name));
    }

    #[test]
    fn a_value_in_a_table_means_what_is_shown_of_it(
        (key, (toml, _)) in proptest::sample::select(table_keys().collect::<Vec<_>>())
            .prop_flat_map(|key| (Just(key), values_of(key)))
    ) {
        let file = |value: &str| table_file(key, value);
        let Ok(loaded) = load(&file(&toml)) else {
            // A list may say one thing twice, and a burst may be too large for its rate.
            prop_assert!(matches!(key.name, "hosts" | "key" | "burst"), "{}: {toml}", key.path());
            return Ok(());
        };
        let path = format!("{}[0].{}", key.section, key.name);
        let shown = loaded.settings.values().find(|(known, _)| *known == path).expect("the value is listed").1;
        prop_assert_eq!(&load(&file(&shown)).unwrap().settings, &loaded.settings);
        prop_assert!(loaded.settings.changes(&load(&file(&shown)).unwrap().settings).changed.is_empty());
    }

    #[test]
    fn no_value_in_a_table_panics(
        (key, text) in (proptest::sample::select(table_keys().collect::<Vec<_>>()), any::<String>())
    ) {
        let _ = load(&table_file(key, &text)).map_err(|errors| errors.to_string());
        let _ = load(&table_file(key, &format!("{text:?}"))).map_err(|errors| errors.to_string());
    }

    #[test]
    fn a_pattern_of_hosts_matches_what_it_says_and_nothing_else(
        (host, parent) in ("[a-zA-Z]{1,5}(\\.[a-z]{1,5}){0,2}", "[a-z]{1,5}(\\.[a-z]{1,5}){0,2}")
    ) {
        let exact = HostPattern::parse(&parent).unwrap();
        let below = HostPattern::parse(&format!("*.{parent}")).unwrap();
        let child = format!("{host}.{parent}");
        prop_assert!(exact.matches(&parent.to_uppercase()) && !exact.matches(&child));
        prop_assert!(below.matches(&child) && !below.matches(&parent));
        prop_assert_eq!(exact.matches(&host), host.eq_ignore_ascii_case(&parent));
    }

    #[test]
    fn a_whole_number_out_of_its_range_is_refused(
        (key, distance) in (
            proptest::sample::select(keys().filter(|key| key.range.is_some()).collect::<Vec<_>>()),
            1u64..1000,
        )
    ) {
        let (min, max) = number(key.range);
        for number in [min - distance as f64, max + distance as f64] {
            let set = format!("{}={number}", key.path());
            let errors = Layers { file: Some(SMALLEST), sets: &[&set], ..Layers::default() }.load().unwrap_err();
            let expected = format!("--set: {}: expected {min} to {max}", key.path());
            prop_assert!(errors.to_string().contains(&expected), "{errors}");
        }
    }
}

#[test]
fn the_deepest_nesting_is_an_error_and_no_overflow() {
    let deep = format!("{SMALLEST}data_dir = {}", "[".repeat(100_000));
    assert!(load(&deep).is_err());
    let set = format!("server.trusted_proxies={}", "[".repeat(100_000));
    assert!(Layers { file: Some(SMALLEST), sets: &[&set], ..Layers::default() }.load().is_err());
}

#[test]
fn every_default_that_is_shown_is_read_back_as_itself() {
    let defaults = load(SMALLEST).unwrap().settings;
    for key in keys() {
        let shown = defaults.show(&key.path());
        if shown.is_empty() || key.is_secret() {
            continue;
        }
        let set = format!("{}={}", key.path(), shown.trim_matches('"'));
        let again = Layers { file: Some(SMALLEST), sets: &[&set], ..Layers::default() }.load().unwrap();
        assert_eq!(again.settings, defaults, "{}", key.path());
    }
}
