//! The console's files, embedded at build time. Any path that is no file is the page itself: the console reads the path.

use axum::{
    http::{StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../console/dist"]
#[allow_missing = true]
struct Console;

const PAGE: &str = "index.html";

/// GET anything else.
pub async fn file(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") || path.starts_with("ctl/") {
        return super::Fault::missing(format!("there is no {path}")).into_response();
    }
    if path.starts_with("assets/") && Console::get(path).is_none() {
        // A page of an older version asks for its own files: the page in the place of a script would only confuse it.
        return super::Fault::missing(format!("there is no {path}; load the page again")).into_response();
    }
    let (name, found) = match Console::get(path) {
        Some(found) => (path, Some(found)),
        None => (PAGE, Console::get(PAGE)),
    };
    let Some(found) = found else {
        let text = "the console was not built into this binary: run `make console`, then build again\n";
        return (StatusCode::NOT_FOUND, text).into_response();
    };
    // Names of built files carry a hash of their content; the page itself must be asked for anew.
    let cache = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-store" };
    let kind = found.metadata.mimetype().to_owned();
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache.to_owned())], found.data.into_owned()).into_response()
}
