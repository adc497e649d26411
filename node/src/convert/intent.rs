//! An agent's intent.

use super::Read;
use super::scalar::required;
use proto::v1;
use proto::v1::intent::Intent as Wire;
use routing::command::Intent;

/// Reads an intent.
///
/// # Errors
/// `INVALID_ARGUMENT` when none is given.
pub fn read(field: &str, intent: Option<v1::Intent>) -> Read<Intent> {
    let intent = required(field, intent.and_then(|intent| intent.intent)).map_err(|problem| {
        crate::problem::Problem {
            message: format!("{}: available, unavailable with a reason, or draining", problem.message),
            ..problem
        }
    })?;
    Ok(match intent {
        Wire::Available(_) => Intent::Available,
        Wire::Unavailable(unavailable) => Intent::Unavailable { reason: unavailable.reason },
        Wire::Draining(draining) => Intent::Draining { next: draining.next },
    })
}

/// Writes an intent.
#[must_use]
pub fn write(intent: &Intent) -> v1::Intent {
    let intent = match intent {
        Intent::Available => Wire::Available(v1::intent::Available {}),
        Intent::Unavailable { reason } => {
            Wire::Unavailable(v1::intent::Unavailable { reason: reason.clone() })
        }
        Intent::Draining { next } => Wire::Draining(v1::intent::Draining { next: next.clone() }),
    };
    v1::Intent { intent: Some(intent) }
}
