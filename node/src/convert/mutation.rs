//! What every change carries, and what it gets back.

use super::Read;
use super::scalar::required;
use crate::problem::Problem;
use proto::v1;
use routing::entry::Request;
use routing::{Command, DomainId, Done, RequestId, Version};
use uuid::Uuid;

/// A mutation, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mutation {
    /// Made by the client once per intent.
    pub id: RequestId,
    /// What the client believes the entity's version to be.
    pub expected_version: Option<Version>,
}

impl Mutation {
    /// Reads the `mutation` of a request.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` that says how to make a request id.
    pub fn read(mutation: Option<v1::Mutation>) -> Read<Self> {
        let mutation = required("mutation", mutation)
            .map_err(|_| bad_request_id("mutation.request_id", "is required"))?;
        Ok(Self {
            id: request_id("mutation.request_id", &mutation.request_id)?,
            expected_version: mutation.expected_version.map(Version),
        })
    }

    /// The request that asks a domain for a command.
    #[must_use]
    pub fn request(self, domain: DomainId, command: Command) -> Request {
        Request { id: Some(self.id), domain, expected_version: self.expected_version, command }
    }
}

/// Reads a request id.
///
/// # Errors
/// `INVALID_ARGUMENT` when it is missing or not a UUIDv7.
pub fn request_id(field: &str, text: &str) -> Read<RequestId> {
    if text.is_empty() {
        return Err(bad_request_id(field, "is required"));
    }
    let uuid =
        Uuid::try_parse(text).map_err(|_| bad_request_id(field, &format!("'{text}' is not a UUID")))?;
    match uuid.get_version_num() {
        7 => Ok(RequestId(uuid.as_u128())),
        other => Err(bad_request_id(field, &format!("'{text}' is a UUID of version {other}"))),
    }
}

fn bad_request_id(field: &str, problem: &str) -> Problem {
    let how = "make a UUIDv7 once per intent and repeat it on every retry, for example \
               '019a8e2c-7f3b-7c4e-9d21-5b6f0a1c2d3e'";
    Problem::field(field, format!("{problem}: {how}")).because("BAD_REQUEST_ID")
}

/// The receipt of a command that was carried out.
#[must_use]
pub fn receipt(done: &Done) -> v1::Receipt {
    v1::Receipt { version: done.version.0, sequence: done.sequence.0, at_us: done.at.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_version_7_is_a_request_id() {
        let good = Uuid::now_v7();
        assert_eq!(request_id("id", &good.to_string()), Ok(RequestId(good.as_u128())));
        for bad in ["", "x", "6fa459ea-ee8a-3ca4-894e-db77e160355e", "00000000-0000-0000-0000-000000000000"] {
            let problem = request_id("id", bad).unwrap_err();
            assert!(problem.message.contains("UUIDv7"), "{}", problem.message);
            assert_eq!(problem.reason, "BAD_REQUEST_ID");
        }
        assert_eq!(Mutation::read(None).unwrap_err().reason, "BAD_REQUEST_ID");
    }
}
