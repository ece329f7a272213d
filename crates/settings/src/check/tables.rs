//! Tables that may stand several times: no two are alike, and each is complete.

use super::{Wrong, refuse, unique};
use crate::settings::Settings;
use std::collections::HashSet;
use std::time::Duration;

/// The longest time that a limit's burst may take to come back: what the counters can hold.
const REFILL_MAX: Duration = Duration::from_secs(7 * 86_400);

const NAME_LENGTH_MAX: usize = 64;

/// What logs and calls say of hosts that are in no site.
const NAME_OF_ALL_OTHERS: &str = "default";

/// `[[sites]]`
pub(super) fn sites(settings: &Settings, wrong: &mut Wrong) {
    let sites = || settings.sites.iter().enumerate();
    for (row, site) in sites() {
        if site.hosts.is_empty() {
            refuse(wrong, format!("sites[{row}].hosts"), "expected at least one host, found none");
        }
        if site.methods.as_ref().is_some_and(Vec::is_empty) {
            refuse(wrong, format!("sites[{row}].methods"), "expected at least one method, found none");
        }
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if let Some(name) = &site.name
            && !is_name(name, fits)
        {
            let expected = "expected letters, digits, \".\", \"_\" and \"-\"";
            refuse(
                wrong,
                format!("sites[{row}].name"),
                format!("{expected}, at most {NAME_LENGTH_MAX}, found {name:?}"),
            );
        }
    }
    for (row, site) in sites().filter(|(_, site)| site.label() == NAME_OF_ALL_OTHERS) {
        let key = if site.name.is_some() { "name" } else { "hosts" };
        let message =
            format!("{NAME_OF_ALL_OTHERS:?} is the name of all other hosts; give it another in name");
        refuse(wrong, format!("sites[{row}].{key}"), message);
    }
    let hosts = sites().flat_map(|(row, site)| {
        site.hosts.iter().map(move |host| (format!("sites[{row}].hosts"), host.to_string()))
    });
    unique(hosts, "host", wrong);
    let names = sites().map(|(row, site)| {
        let key = if site.name.is_some() { "name" } else { "hosts" };
        (format!("sites[{row}].{key}"), site.label())
    });
    unique(names, "name", wrong);
}

/// `[[rate_limits]]`
pub(super) fn rate_limits(settings: &Settings, wrong: &mut Wrong) {
    let limits = || settings.rate_limits.iter().enumerate();
    for (row, limit) in limits() {
        let path = |key: &str| format!("rate_limits[{row}].{key}");
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        if !is_name(&limit.name, fits) {
            let expected = "expected lower-case letters, digits, \"_\" and \"-\"";
            let message = format!("{expected}, at most {NAME_LENGTH_MAX}, found {:?}", limit.name);
            refuse(wrong, path("name"), message);
        }
        let mut keys = HashSet::new();
        if let Some(twice) = limit.key.iter().find(|key| !keys.insert(*key)) {
            refuse(wrong, path("key"), format!("{twice} stands twice; give each once"));
        }
        let burst = limit.burst.unwrap_or(limit.requests);
        let refill = limit.per.as_secs_f64() * burst as f64 / limit.requests as f64;
        if refill > REFILL_MAX.as_secs_f64() {
            let most = (REFILL_MAX.as_secs_f64() * limit.requests as f64 / limit.per.as_secs_f64()) as u64;
            refuse(
                wrong,
                path("burst"),
                format!("expected at most {most}, what the rate gives in seven days"),
            );
        }
        paths(&path("paths"), &limit.paths, wrong);
    }
    let names = limits().map(|(row, limit)| (format!("rate_limits[{row}].name"), limit.name.clone()));
    unique(names, "name", wrong);
}

/// Paths, as rules have them.
pub(super) fn paths(key: &str, paths: &[String], wrong: &mut Wrong) {
    if let Some((index, path)) = paths.iter().enumerate().find(|(_, path)| !path.starts_with('/')) {
        let message = format!("item {}: expected a path that begins with \"/\", found {path:?}", index + 1);
        refuse(wrong, key, message);
    }
}

fn is_name(text: &str, fits: impl Fn(u8) -> bool) -> bool {
    (1..=NAME_LENGTH_MAX).contains(&text.len()) && text.bytes().all(fits)
}
