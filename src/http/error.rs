//! What a transport refuses, and by which code and status.
//!
//! Every error that leaves the server has one of these codes, or one of the schema's own, in
//! `extensions.code`: clients decide by it and never by the message.

use std::fmt::{self, Display, Formatter};

use async_graphql::{ErrorExtensionValues, Pos, ServerError};
use axum::http::StatusCode;

use crate::graphql::guard::{Fault, GuardError};

/// Why a request was refused before, or instead of, an answer of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The request is not a well-formed GraphQL request.
    BadRequest,
    /// The body, message or document is longer than allowed.
    PayloadTooLarge,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// The client accepts no media type that this endpoint has.
    NotAcceptable,
    /// The endpoint does not have the method, or the method may not run this operation.
    MethodNotAllowed,
    /// The request comes from a web page that may not use this server.
    ForbiddenOrigin,
    /// The request names a host that this server does not go by.
    ForbiddenHost,
    /// The document is not GraphQL.
    ParseFailed,
    /// The document breaks a rule of GraphQL or of the schema.
    ValidationFailed,
    /// The document has no such operation, or several and none was named.
    OperationUnknown,
    /// A variable or an argument has no value, or a wrong one.
    BadUserInput,
    /// The operation asks for more than the limits allow.
    TooComplex,
    /// The hash is not known here: send it with the query.
    PersistedQueryNotFound,
    /// The hash is not that of the query.
    PersistedQueryMismatch,
    /// The operation was cancelled for taking too long.
    Timeout,
    /// The server has as much to do as it may: try again later.
    Overloaded,
    /// A fault of the server.
    Internal,
}

impl Code {
    /// The code as clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BAD_REQUEST",
            Self::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
            Self::RequestTimeout => "REQUEST_TIMEOUT",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::NotAcceptable => "NOT_ACCEPTABLE",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::ForbiddenOrigin => "FORBIDDEN_ORIGIN",
            Self::ForbiddenHost => "FORBIDDEN_HOST",
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::OperationUnknown => "OPERATION_RESOLUTION_FAILURE",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::TooComplex => "QUERY_TOO_COMPLEX",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::PersistedQueryMismatch => "PERSISTED_QUERY_MISMATCH",
            Self::Timeout => "TIMEOUT",
            Self::Overloaded => "OVERLOADED",
            Self::Internal => "INTERNAL",
        }
    }

    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        match self {
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::ForbiddenOrigin | Self::ForbiddenHost => StatusCode::FORBIDDEN,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::BadRequest
            | Self::ParseFailed
            | Self::ValidationFailed
            | Self::OperationUnknown
            | Self::BadUserInput
            | Self::TooComplex
            | Self::PersistedQueryNotFound
            | Self::PersistedQueryMismatch => StatusCode::BAD_REQUEST,
        }
    }

    /// Whether the request was a good GraphQL request and the fault lies in its document or variables.
    /// Under `application/json` these answer 200, as clients of that media type expect.
    pub fn is_of_document(self) -> bool {
        matches!(
            self,
            Self::ParseFailed
                | Self::ValidationFailed
                | Self::OperationUnknown
                | Self::BadUserInput
                | Self::TooComplex
                | Self::PersistedQueryNotFound
        )
    }
}

impl Display for Code {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refused request.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Why.
    pub code: Code,
    /// Why, in words for a person, naming the field or limit.
    pub message: String,
    /// Where in the document; empty where it concerns the whole request.
    pub locations: Vec<Pos>,
}

impl Refusal {
    /// A refusal that concerns the whole request.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), locations: Vec::new() }
    }

    /// A request that is not well formed.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, message)
    }

    /// The refusal as a GraphQL error.
    pub fn into_error(self) -> ServerError {
        let mut error = ServerError::new(self.message, None);
        error.locations = self.locations;
        set_code(&mut error, self.code);
        error
    }
}

impl From<GuardError> for Refusal {
    fn from(error: GuardError) -> Self {
        let code = match error.fault {
            Fault::Syntax => Code::ParseFailed,
            Fault::Limit => Code::TooComplex,
            Fault::Invalid => Code::ValidationFailed,
            Fault::Operation => Code::OperationUnknown,
            Fault::Variable => Code::BadUserInput,
        };
        Self { code, message: error.message, locations: error.locations }
    }
}

/// Sets an error's `extensions.code`.
pub(super) fn set_code(error: &mut ServerError, code: Code) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code.as_str());
}
