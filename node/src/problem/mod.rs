//! Refusals and failures as callers see them: a standard gRPC code, a machine-readable reason, and
//! a sentence that says what to do. Unary calls get a status with details, streams a `Failure`
//! with the same content.

mod engine;
mod rejected;

use proto::v1;
use std::collections::HashMap;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The domain of every `ErrorInfo` this server sends.
pub const ERROR_DOMAIN: &str = "centralita";

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// The standard code.
    pub code: Code,
    /// Machine-readable, upper snake case; `Rejected::Unknown` makes it from the kind.
    pub reason: &'static str,
    /// For people: what is wrong and what to do.
    pub message: String,
    /// The field at fault, for `INVALID_ARGUMENT`.
    pub field: Option<String>,
    /// When to try again, where trying again can help.
    pub retry_after: Option<Duration>,
    /// Further facts for machines, in lower snake case.
    pub facts: Vec<(&'static str, String)>,
}

impl Problem {
    /// A problem with nothing but a code, a reason and a message.
    #[must_use]
    pub fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), field: None, retry_after: None, facts: Vec::new() }
    }

    /// A field that is missing, malformed or out of its range.
    #[must_use]
    pub fn field(field: impl Into<String>, problem: impl AsRef<str>) -> Self {
        let field = field.into();
        let message = format!("{field}: {}", problem.as_ref());
        Self { field: Some(field), ..Self::new(Code::InvalidArgument, "INVALID", message) }
    }

    /// The same with another reason.
    #[must_use]
    pub fn because(mut self, reason: &'static str) -> Self {
        self.reason = reason;
        self
    }

    /// The same with a fact for machines.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.facts.push((key, value.to_string()));
        self
    }

    /// The same with a time after which to try again.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// For the answer of a stream.
    #[must_use]
    pub fn failure(&self) -> v1::Failure {
        v1::Failure {
            code: self.code as i32,
            reason: self.reason.to_owned(),
            message: self.message.clone(),
            retry_after_ms: self
                .retry_after
                .map_or(0, |after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX).max(1)),
        }
    }
}

impl From<Problem> for Status {
    fn from(problem: Problem) -> Self {
        let facts: HashMap<String, String> =
            problem.facts.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let mut details = ErrorDetails::new();
        details.set_error_info(problem.reason, ERROR_DOMAIN, facts);
        if let Some(field) = &problem.field {
            details.add_bad_request_violation(field.clone(), problem.message.clone());
        }
        if problem.retry_after.is_some() {
            details.set_retry_info(problem.retry_after);
        }
        Status::with_error_details(problem.code, problem.message, details)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_carries_reason_field_and_retry() {
        let problem = Problem::field("settings.name", "is required").retry_after(Duration::from_millis(250));
        assert_eq!(problem.failure().retry_after_ms, 250);
        assert_eq!(problem.failure().code, 3);
        let status = Status::from(problem);
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let info = details.error_info().expect("an error info");
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("INVALID", "centralita"));
        assert_eq!(details.bad_request().expect("a violation").field_violations[0].field, "settings.name");
        assert_eq!(details.retry_info().and_then(|info| info.retry_delay), Some(Duration::from_millis(250)));
    }
}
