//! From a request that rules stopped to the exceptions that let it through, and little else: these rules, in these values, on this
//! path of this host.

use crate::api::error::ApiError;
use crate::api::explain;
use crate::api::records::search;
use crate::api::{Api, aside};
use secbeat_l7::trial::Trial;
use secbeat_telemetry::recorder::Record;
use secbeat_telemetry::{Query as EventQuery, RecordQuery};
use secbeat_types::{Action, Event};
use secbeat_waf::{Exception, every_form_of_path, parse_exceptions};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// The longest target that events keep whole, in bytes.
const EVENT_TARGET_BYTES: usize = 512;

/// A request that rules found something in.
pub struct Stopped {
    /// Its id.
    pub request_id: String,
    /// What of it was recorded.
    pub record: Option<Record>,
    client: Option<IpAddr>,
    host: String,
    path: String,
    /// Rules, and the values that they matched.
    matches: Vec<Matched>,
}

/// A rule, and a value in which it matched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Matched {
    /// The rule's id.
    pub rule: String,
    /// The value, as matches name it.
    pub variable: String,
}

impl Stopped {
    /// The request that `id` names: the number of an event, or the id of a request.
    pub async fn find(api: &Arc<Api>, id: &str) -> Result<Stopped, ApiError> {
        let shared = api.control.shared.clone();
        let is_request = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let of_request = |events: Vec<Arc<Event>>, id: &str| {
            let of_it =
                |event: &&Arc<Event>| event.request_id.as_deref() == Some(id) && !event.matches.is_empty();
            let blocked = events.iter().filter(of_it).find(|event| event.blocked);
            blocked.or_else(|| events.iter().find(of_it)).cloned()
        };
        let number = id.parse::<u64>().ok();
        if number.is_none() && !is_request {
            let expected = format!(
                "expected the number of an event, or the 16 hexadecimal digits of an answer's X-Request-Id, found {id:?}"
            );
            return Err(ApiError::invalid_at("from_event", expected));
        }
        // Numbers of events may have 16 digits too.
        let by_number = number.and_then(|number| {
            let newest = EventQuery { before: number.checked_add(1), limit: 1, ..EventQuery::default() };
            shared.events.query(&newest).events.into_iter().find(|event| event.id == number)
        });
        let event = if by_number.is_some() || !is_request {
            by_number
        } else {
            let id = id.to_ascii_lowercase();
            let trace = explain::find(&shared, u64::from_str_radix(&id, 16).unwrap_or_default()).await?;
            let searched = trace.map(|trace| EventQuery {
                ip: Some(trace.client),
                limit: explain::EVENTS_SEARCHED,
                ..EventQuery::default()
            });
            aside(move || {
                searched.and_then(|searched| of_request(shared.events.query(&searched).events, &id))
            })
            .await?
        };
        let request_id = event.as_ref().and_then(|event| event.request_id.clone());
        let request_id =
            request_id.or_else(|| (is_request && event.is_none()).then(|| id.to_ascii_lowercase()));
        let record = match &request_id {
            None => None,
            Some(id) => {
                let wanted = RecordQuery { request_id: Some(id.clone()), limit: 1, ..RecordQuery::default() };
                search(&api.control.shared, wanted).await?.records.into_iter().next()
            }
        };
        Stopped::of(id, request_id, event.as_deref(), record)
    }

    fn of(
        id: &str,
        request_id: Option<String>,
        event: Option<&Event>,
        record: Option<Record>,
    ) -> Result<Stopped, ApiError> {
        let of_event = event.iter().flat_map(|event| &event.matches).map(|found| {
            let matched = Matched { rule: found.rule_id.to_string(), variable: found.variable.clone() };
            (matched, !matches!(found.action, Action::Log | Action::Allow))
        });
        let of_record = record.iter().flat_map(|record| &record.matches).map(|found| {
            let matched = Matched { rule: found.rule_id.clone(), variable: found.variable.clone() };
            (matched, !matches!(found.action.as_str(), "log" | "allow"))
        });
        let mut all: Vec<(Matched, bool)> = of_event.chain(of_record).collect();
        // A rule that adds up what others have scored is not what matched.
        all.retain(|(matched, _)| !matched.variable.trim_start_matches('&').starts_with("TX:"));
        if all.iter().any(|(_, stops)| *stops) {
            all.retain(|(_, stops)| *stops);
        }
        let mut matches: Vec<Matched> = all.into_iter().map(|(matched, _)| matched).collect();
        matches.sort();
        matches.dedup();
        if matches.is_empty() {
            return Err(ApiError::not_found(format!(
                "no rule is known to have matched in {id}: it was another request, or so long ago that its event is gone, and it \
                 was not recorded; GET /api/v1/events lists those there are"
            )));
        }
        let target = match (&record, event.and_then(|event| event.target.as_deref())) {
            (Some(record), _) => record.target.clone(),
            (None, Some(target)) if target.len() < EVENT_TARGET_BYTES || target.contains('?') => {
                target.to_owned()
            }
            _ => return Err(unnamed("its path is not known whole")),
        };
        let host = event.and_then(|event| event.host.clone());
        let host =
            host.or_else(|| record.as_ref().map(|record| host_of(record).to_owned())).unwrap_or_default();
        Ok(Stopped {
            request_id: request_id.unwrap_or_default(),
            client: event
                .and_then(|event| event.client_ip)
                .or(record.as_ref().map(|record| record.client_ip)),
            path: path_of(&target),
            record,
            host,
            matches,
        })
    }

    /// Adds rules, and the values that they match; whether any of them is new.
    pub fn also(&mut self, more: impl IntoIterator<Item = Matched>) -> bool {
        let before = self.matches.len();
        for matched in more {
            if !matched.variable.starts_with("TX:") && !self.matches.contains(&matched) {
                self.matches.push(matched);
            }
        }
        self.matches.len() > before
    }

    /// The exceptions: one for each set of rules that matched in the same values.
    ///
    /// # Errors
    /// Something about the request cannot be named so that it means nothing else.
    pub fn exceptions(&self, with_client: bool) -> Result<Vec<Exception>, ApiError> {
        let mut rules_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for Matched { rule, variable } in &self.matches {
            rules_of.entry(variable).or_default().push(rule);
        }
        let mut values_of: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
        for (variable, mut rules) in rules_of {
            rules.sort_unstable();
            rules.dedup();
            let is_plain = !variable.contains('*') || matches!(variable, "XML:/*" | "XML://@*");
            if !is_plain || variable.contains("[masked]") || variable.contains('\u{fffd}') {
                return Err(unnamed(&format!(
                    "the value {variable:?} has a name that stands for others too"
                )));
            }
            values_of.entry(rules).or_default().push(variable.trim_start_matches('&'));
        }
        let forms = every_form_of_path(self.path.as_bytes()).into_iter().map(String::from_utf8);
        let forms: Result<Vec<String>, _> = forms.collect();
        let mut paths = forms.map_err(|_| unnamed("its path is no text"))?;
        if !self.path.starts_with('/') || self.path.contains("[masked]") {
            return Err(unnamed("its path is not known"));
        }
        paths.iter_mut().for_each(|path| path.insert(0, '='));
        paths.sort();
        paths.dedup();
        let host = name_of(&self.host);
        let clients: Vec<IpAddr> = self.client.into_iter().filter(|_| with_client).collect();
        let said = values_of.into_iter().map(|(rules, values)| {
            let values: Vec<&str> = values.into_iter().filter(|value| !value.is_empty()).collect();
            json!({
                "rules": rules,
                "parameters": values,
                "paths": paths,
                "hosts": Some(host).filter(|host| !host.is_empty()).into_iter().collect::<Vec<_>>(),
                "clients": clients,
                "reason": format!("request {}", self.request_id),
            })
        });
        let said = json!({ "exceptions": said.collect::<Vec<_>>() });
        parse_exceptions(&said.to_string()).map_err(super::exceptions::wrong)
    }
}

fn unnamed(what: &str) -> ApiError {
    ApiError::invalid_at(
        "from_event",
        format!(
            "{what}: say what the exception is for with `exceptions` (secbeat rule exception add --rule …)"
        ),
    )
}

/// A recorded request, to be tried again; `None`: its body was not recorded whole.
pub fn trial_of(record: &Record) -> Option<Trial> {
    let body = match &record.body {
        None => String::new(),
        Some(body) if body.truncated => return None,
        Some(body) => body.text.clone()?,
    };
    let bytes = |(name, value): &(String, String)| (name.clone().into_bytes(), value.clone().into_bytes());
    Some(Trial {
        client: record.client_ip,
        host: host_of(record).as_bytes().to_vec(),
        method: record.method.clone().into_bytes(),
        target: record.target.clone().into_bytes(),
        protocol: if record.version == "HTTP/1.0" { b"HTTP/1.0" } else { b"HTTP/1.1" },
        fields: record.fields.iter().map(bytes).collect(),
        body: body.into_bytes(),
    })
}

/// What a recorded request says in `Host`.
pub fn host_of(record: &Record) -> &str {
    let host = record.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
    host.map(|(_, value)| value.as_str()).unwrap_or_default()
}

/// The path of a target, undecoded.
fn path_of(target: &str) -> String {
    let request = secbeat_waf::Request { target: target.as_bytes(), ..secbeat_waf::Request::default() };
    String::from_utf8_lossy(request.path_and_query().0).into_owned()
}

/// A host without its port.
fn name_of(authority: &str) -> &str {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => authority,
    };
    name.strip_suffix('.').unwrap_or(name)
}
