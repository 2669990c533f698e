//! An error as the console gets it: a status, a code that the documentation knows, what happened, what to do.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use query::{Blame, QueryError};
use serde_json::json;

use crate::{desk::DeskError, questions::NoAnswer, state::StateError};

/// What a handler answers when it cannot do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    status: StatusCode,
    code: &'static str,
    message: String,
    next: &'static str,
}

impl Fault {
    /// A fault of the asker.
    pub fn asker(code: &'static str, message: impl Into<String>, next: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.into(), next }
    }
    /// With another status.
    #[must_use]
    pub fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
    /// Nobody is signed in.
    pub fn nobody() -> Self {
        Self::asker("not_signed_in", "nobody is signed in here", "sign in").status(StatusCode::UNAUTHORIZED)
    }
    /// There is no such thing.
    pub fn missing(what: impl Into<String>) -> Self {
        Self::asker("not_found", what, "look at the list").status(StatusCode::NOT_FOUND)
    }
    /// A fault of ours.
    pub fn ours(code: &'static str, message: impl Into<String>) -> Self {
        let next = "look at the log of bartizan serve";
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, code, message: message.into(), next }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            tracing::error!(code = self.code, "{}", self.message);
        }
        let body = json!({"error": {"code": self.code, "message": self.message, "next": self.next}});
        (self.status, Json(body)).into_response()
    }
}

impl From<QueryError> for Fault {
    fn from(e: QueryError) -> Self {
        match e.blame() {
            Blame::Question => Self::asker("bad_question", e.to_string(), "mend the question"),
            Blame::Refused => Self::asker("refused", e.to_string(), "ask for less").status(StatusCode::UNPROCESSABLE_ENTITY),
            Blame::Store => Self::ours("store", e.to_string()),
        }
    }
}

impl From<NoAnswer> for Fault {
    fn from(e: NoAnswer) -> Self {
        match e {
            NoAnswer::Busy => Self::asker("busy", e.to_string(), "try again").status(StatusCode::SERVICE_UNAVAILABLE),
            NoAnswer::Broken(_) => Self::ours("store", e.to_string()),
        }
    }
}

impl From<StateError> for Fault {
    fn from(e: StateError) -> Self {
        match e {
            StateError::Refused(why) => Self::asker("refused", why, "choose another one"),
            e => Self::ours("state", e.to_string()),
        }
    }
}

impl From<DeskError> for Fault {
    fn from(e: DeskError) -> Self {
        match e {
            DeskError::Say(alert::SayError::Unknown(id)) => Self::missing(format!("there is no alert {id}")),
            DeskError::Say(e) => Self::asker("refused", e.to_string(), "mend it and try again"),
            DeskError::State(e) => e.into(),
        }
    }
}
