//! What a call says: names in its path, and bodies, read as JSON whatever they call themselves: `curl -d` says `application/x-www-form-urlencoded`.

use crate::api::error::ApiError;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use std::time::Duration;

/// How long a call's body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A body that was read as `T`.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let Text(text) = Text::from_request(request, state).await?;
        if text.trim().is_empty() {
            return Err(ApiError::malformed("expected a JSON object as the body, found nothing"));
        }
        serde_json::from_str(&text).map(Json).map_err(|error| {
            let location = format!("line {} column {}", error.line(), error.column());
            if error.is_data() {
                ApiError::invalid_at(location, error.to_string())
            } else {
                ApiError::malformed(format!("expected JSON: {error}"))
            }
        })
    }
}

/// What stands behind the `?` of a call, read as `T`.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|axum::extract::Query(query)| Query(query))
            .map_err(|rejection: QueryRejection| ApiError::invalid(rejection.body_text()))
    }
}

/// An address, as `ip=` has it.
pub fn address(text: &str) -> Result<IpAddr, ApiError> {
    text.parse::<IpAddr>()
        .map(|ip| ip.to_canonical())
        .map_err(|_| ApiError::invalid_at("ip", format!("expected an IPv4 or IPv6 address, found {text:?}")))
}

/// The last part of a call's path, percent-decoded.
pub struct Name(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let name = Path::<String>::from_request_parts(parts, state).await;
        name.map(|Path(name)| Name(name))
            .map_err(|rejection: PathRejection| ApiError::malformed(rejection.body_text()))
    }
}

/// A body that is text.
pub struct Text(pub String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, state)).await;
        let bytes = bytes.map_err(|_| ApiError::timeout(BODY_TIMEOUT))?;
        let bytes = bytes.map_err(|rejection: BytesRejection| {
            if rejection.into_response().status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::too_large(format!("the body is longer than {} bytes", super::BODY_BYTES_MAX))
            } else {
                ApiError::malformed("the body broke off")
            }
        })?;
        let text =
            String::from_utf8(bytes.into()).map_err(|_| ApiError::malformed("expected JSON in UTF-8"))?;
        Ok(Text(text))
    }
}
