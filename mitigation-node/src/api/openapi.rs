//! The calls as OpenAPI 3.1 has them: written by hand in `mitigation-node/openapi.json`, held equal to the router by the test below
//! and to the running node by `tests/tests/openapi.rs`.

use axum::http::header;
use axum::response::IntoResponse;

/// The document.
const DOCUMENT: &str = include_str!("../../openapi.json");

/// `GET /api/openapi.json`
pub async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    type Calls = BTreeSet<(String, String)>;

    /// The calls of the router, as its source has them: each `.route("path", method(…).method(…))`.
    fn routed() -> Calls {
        let source = include_str!("../api.rs");
        let mut calls = Calls::new();
        for route in source.split(".route(").skip(1) {
            let path = route.split('"').nth(1).unwrap();
            // What stands between this route and the next call on the router.
            let methods = route.split("\n        .").next().unwrap();
            for method in ["get", "post", "put", "patch", "delete"] {
                if methods.contains(&format!("{method}(")) {
                    calls.insert((method.to_owned(), path.to_owned()));
                }
            }
        }
        calls
    }

    fn documented() -> Calls {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let calls = paths.iter().flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(|method| (method.clone(), path.clone()))
        });
        calls.collect()
    }

    #[test]
    fn every_call_of_the_router_is_in_the_document_and_no_other() {
        let (routed, documented) = (routed(), documented());
        assert!(routed.len() > 10, "the source of the router is read wrongly: {routed:?}");
        assert_eq!(
            routed.difference(&documented).collect::<Vec<_>>(),
            Vec::<&(String, String)>::new(),
            "not in the document"
        );
        assert_eq!(
            documented.difference(&routed).collect::<Vec<_>>(),
            Vec::<&(String, String)>::new(),
            "not in the router"
        );
    }
}
