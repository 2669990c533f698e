//! Bodies and query strings, and what is said of one that cannot be read: the same shape of error as everywhere (docs/specs/api.md).

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Query, Request},
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;

use super::Fault;

/// A JSON body.
pub struct Sent<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = Fault;
    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let read = Json::<T>::from_request(request, state).await;
        read.map(|Json(body)| Self(body)).map_err(|e| {
            let (code, next) = match e.status() {
                StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "send at most 1 MiB"),
                StatusCode::UNSUPPORTED_MEDIA_TYPE => ("not_json", "send Content-Type: application/json"),
                _ => ("bad_body", "send the JSON object of docs/specs/api.md"),
            };
            Fault::asker(code, e.body_text(), next).status(e.status())
        })
    }
}

/// The query string.
pub struct Terms<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Terms<T> {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        read.map(|Query(terms)| Self(terms))
            .map_err(|e| Fault::asker("bad_query", e.body_text(), "use the parameters of docs/specs/api.md"))
    }
}
