//! The sample site: a few pages, a search, a form that gives back what it was sent, JSON, and `/health`.

use super::{Backend, pages};
use crate::failure::Failure;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use axum::{Form, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;

/// Serves the site on a free loopback port until the program ends.
pub async fn start() -> Result<Backend, Failure> {
    let failed = |error| Failure::no(format!("cannot start the sample site on loopback: {error}"));
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    tokio::spawn(async move { axum::serve(listener, router()).await });
    Ok(Backend { authority: address.to_string(), is_sample: true })
}

fn router() -> Router {
    Router::new()
        .route("/", get(async || Html(pages::home())))
        .route("/about", get(async || Html(pages::about())))
        .route("/search", get(search))
        .route("/contact", get(async || Html(pages::contact())).post(contacted))
        .route(
            "/api/products",
            get(async || Json(products())).post(async |Json(product): Json<Value>| Json(product)),
        )
        .route("/health", get(async || Json(json!({ "status": "ok" }))))
        .fallback(async || (StatusCode::NOT_FOUND, Html(pages::missing())))
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    q: String,
}

async fn search(Query(search): Query<Search>) -> Html<String> {
    Html(pages::search(&search.q))
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    name: String,
    #[serde(default)]
    message: String,
}

async fn contacted(Form(message): Form<Message>) -> Html<String> {
    Html(pages::contacted(&message.name, &message.message))
}

fn products() -> Value {
    json!({ "products": [
        { "id": 1, "name": "Kettle", "price": "24.90" },
        { "id": 2, "name": "Teapot", "price": "31.50" },
        { "id": 3, "name": "Cup", "price": "6.20" },
    ]})
}
