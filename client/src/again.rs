//! What may be tried again.

use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// The longest pause that a node may ask for.
const ASKED_MAX: Duration = Duration::from_secs(1);

/// How long to wait before the call is made again; `None` when the answer is definite.
pub(crate) fn after(status: &Status, pause: Duration) -> Option<Duration> {
    let again = matches!(
        status.code(),
        // Unknown and cancelled are what a connection that breaks makes of a call.
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Unknown
            | Code::Cancelled
            | Code::Aborted
    );
    let asked = || status.get_details_retry_info()?.retry_delay;
    again.then(|| asked().map_or(pause, |asked| asked.clamp(pause.min(ASKED_MAX), ASKED_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::ErrorDetails;

    #[test]
    fn refusals_are_definite_and_the_rest_is_tried_again() {
        let pause = Duration::from_millis(20);
        for code in [Code::Unavailable, Code::DeadlineExceeded, Code::ResourceExhausted, Code::Unknown] {
            assert_eq!(after(&Status::new(code, ""), pause), Some(pause), "{code:?}");
        }
        for code in [
            Code::InvalidArgument,
            Code::NotFound,
            Code::FailedPrecondition,
            Code::OutOfRange,
            Code::DataLoss,
        ] {
            assert_eq!(after(&Status::new(code, ""), pause), None, "{code:?}");
        }
        for (asked_ms, waited_ms) in [(1, 20), (200, 200), (60_000, 1_000)] {
            let mut details = ErrorDetails::new();
            details.set_retry_info(Some(Duration::from_millis(asked_ms)));
            let status = Status::with_error_details(Code::Unavailable, "", details);
            assert_eq!(after(&status, pause), Some(Duration::from_millis(waited_ms)), "{asked_ms}");
        }
    }
}
