//! all definite answers to one request id are the same, to the last field.

use super::call::{Call, Outcome};
use std::collections::BTreeMap;

/// Pairs of different answers to one request.
pub(super) fn differing<'a>(calls: impl IntoIterator<Item = &'a Call>) -> Vec<(&'a Call, &'a Call)> {
    let mut first: BTreeMap<u128, &Call> = BTreeMap::new();
    let mut differing = Vec::new();
    for call in calls {
        let definite = match &call.outcome {
            Outcome::Done(_) => true,
            Outcome::Refused(reason) => {
                !matches!(reason.as_str(), "REQUEST_TOO_OLD" | "QUARANTINED" | "UNKNOWN_DOMAIN")
            }
            Outcome::NotDone | Outcome::Unknown => false,
        };
        if !definite {
            continue;
        }
        let before = first.entry(call.request).or_insert(call);
        if before.outcome != call.outcome {
            differing.push((*before, call));
        }
    }
    differing
}

/// For people.
pub(super) fn describe(first: &Call, again: &Call) -> String {
    format!(
        "request {:032x}, {} {:?}, was answered {:?} by {} and {:?} by {}",
        first.request,
        first.asked.method(),
        first.asked,
        first.outcome,
        first.node,
        again.outcome,
        again.node
    )
}
