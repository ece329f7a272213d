//! The API's description, as `mitigation-node/openapi.json` has it.

use crate::programs;
use serde_json::Value;
use std::fs;

/// A call of the API.
pub struct Call {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path, with `{names}`.
    pub path: String,
    /// The names of its query parameters.
    pub query: Vec<String>,
    /// The schema of its body.
    pub body: Option<Value>,
    /// An example of its body.
    pub example: Option<Value>,
    /// Whether everybody may make it.
    pub is_open: bool,
}

/// The document.
pub fn document() -> Value {
    let path = programs::workspace().join("mitigation-node/openapi.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Every call in it.
pub fn calls() -> Vec<Call> {
    let document = document();
    let mut calls = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = match method.as_str() {
                "get" => "GET",
                "post" => "POST",
                "delete" => "DELETE",
                other => panic!("{path}: {other} is no method or not known here"),
            };
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let query = parameters.iter().filter(|parameter| parameter["in"] == "query");
            let content = operation.pointer("/requestBody/content/application~1json");
            calls.push(Call {
                method,
                path: path.clone(),
                query: query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect(),
                body: content.map(|content| content["schema"].clone()),
                example: content.map(|content| content["example"].clone()),
                is_open: operation["security"] == serde_json::json!([{}]),
            });
        }
    }
    calls
}

/// The path with something that is nowhere in the place of `{names}`.
pub fn named(path: &str) -> String {
    path.replace("{ip}", "192.0.2.99").replace("{id}", "nothing")
}
