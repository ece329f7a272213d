//! Reload and firewall rules. What is wrong is refused with its place, and nothing has changed.

use crate::api::access::Actor;
use crate::api::body::{Name, Query, Text};
use crate::api::error::ApiError;
use crate::api::{Api, aside};
use crate::control::{Reloaded, RulesChanged};
use crate::prepare::CompileError;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use secbeat_waf::{Rule, RuleError, RuleSet, parse_rules};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// `POST /api/v1/reload`
pub async fn reload(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
) -> Result<Json<Reloaded>, ApiError> {
    let control = api.control.clone();
    aside(move || control.reload(&actor.0)).await?.map(Json).map_err(|why| ApiError::invalid(why.trim_end()))
}

/// `GET /api/v1/waf/rules`
pub async fn list_rules(State(api): State<Arc<Api>>) -> Json<Value> {
    let view = api.control.view();
    Json(json!({ "generation": view.generation, "rules": listed(view.rules.rules(), &view.site_rules) }))
}

/// The rules in force where a site has none of its own, then those of sites that differ from them, with the sites' names.
fn listed(rules: &[Rule], site_rules: &[(String, Arc<RuleSet>)]) -> Vec<Value> {
    let known: HashMap<&str, &Rule> = rules.iter().map(|rule| (rule.id.as_str(), rule)).collect();
    let mut own: Vec<(&Arc<RuleSet>, Vec<&str>)> = Vec::new();
    for (site, set) in site_rules {
        match own.iter_mut().find(|(known, _)| Arc::ptr_eq(known, set)) {
            Some((_, sites)) => sites.push(site),
            None => own.push((set, vec![site])),
        }
    }
    let mut listed: Vec<Value> = rules.iter().map(|rule| json!(rule)).collect();
    for (set, sites) in own {
        for rule in set.rules().iter().filter(|rule| known.get(rule.id.as_str()) != Some(rule)) {
            let mut shown = json!(rule);
            shown["sites"] = json!(sites);
            listed.push(shown);
        }
    }
    listed
}

/// How rules are set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetRules {
    mode: Option<String>,
}

/// `POST /api/v1/waf/rules`
pub async fn set_rules(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    Query(query): Query<SetRules>,
    Text(text): Text,
) -> Result<(StatusCode, Json<RulesChanged>), ApiError> {
    let replace = match query.mode.as_deref() {
        None | Some("upsert") => false,
        Some("replace") => true,
        Some(other) => {
            return Err(ApiError::invalid(format!("mode: expected upsert or replace, found {other:?}")));
        }
    };
    if let Err(error) = serde_json::from_str::<IgnoredAny>(&text) {
        return Err(ApiError::malformed(format!("expected JSON: {error}")));
    }
    let rules = parse_rules(&text).map_err(rule_error)?;
    let control = api.control.clone();
    changed(aside(move || control.set_rules(rules, replace, &actor.0)).await?)
}

/// `DELETE /api/v1/waf/rules/{id}`
pub async fn delete_rule(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    Name(id): Name,
) -> Result<(StatusCode, Json<RulesChanged>), ApiError> {
    let control = api.control.clone();
    let of_call = id.clone();
    match aside(move || control.delete_rule(&of_call, &actor.0)).await? {
        Some(outcome) => changed(outcome),
        None => {
            Err(ApiError::not_found(format!("there is no rule {id:?}; GET /api/v1/waf/rules lists them")))
        }
    }
}

fn changed(
    outcome: Result<RulesChanged, CompileError>,
) -> Result<(StatusCode, Json<RulesChanged>), ApiError> {
    let changed = outcome.map_err(|error| match error {
        CompileError::Rule(error) => rule_error(error),
        CompileError::Site(message) => ApiError::invalid(message),
    })?;
    Ok((if changed.durable { StatusCode::OK } else { StatusCode::ACCEPTED }, Json(changed)))
}

fn rule_error(error: RuleError) -> ApiError {
    ApiError::invalid(error.to_string())
}

/// `GET /api/v1/policy`
pub async fn show(State(api): State<Arc<Api>>) -> Json<Value> {
    let view = api.control.view();
    let values = view.settings.values().map(|(key, value)| {
        let origin = view.origins.get(&key).map_or_else(|| "default".to_owned(), ToString::to_string);
        json!({ "key": key, "value": value, "origin": origin })
    });
    Json(json!({ "generation": view.generation, "values": values.collect::<Vec<_>>() }))
}
