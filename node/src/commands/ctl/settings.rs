//! Settings from flags, on top of `--settings JSON` where given.

use super::json::from_json;
use crate::failure::{Failure, Kind};
use prost::Message;
use proto::v1;

/// Settings as a base for flags: those of the JSON, or none.
pub(super) fn base<M: Message + Default>(name: &str, json: Option<&str>) -> Result<M, Failure> {
    json.map_or_else(|| Ok(M::default()), |json| from_json(name, json))
}

/// Reads a channel's name.
pub(super) fn channel(text: &str) -> Result<v1::Channel, String> {
    let channel: routing::Channel =
        text.parse().map_err(|error: routing::UnknownChannel| error.to_string())?;
    v1::Channel::try_from(crate::convert::scalar::channel_code(channel)).map_err(|error| error.to_string())
}

/// Reads a time such as 500ms, 30s, 5m or 2h, in milliseconds.
pub(super) fn millis(text: &str) -> Result<u64, String> {
    let bad = || format!("'{text}' is not a time: it looks like 500ms, 30s, 5m or 2h");
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
    let amount: u64 = text[..digits].parse().map_err(|_| bad())?;
    let unit = match &text[digits..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(bad()),
    };
    amount.checked_mul(unit).ok_or_else(bad)
}

/// How an offer is accepted, from `--ring` or `--automatic`.
pub(super) fn accept(ring: Option<u64>, automatic: Option<u64>) -> Option<v1::AcceptMode> {
    use v1::accept_mode::{Automatic, Manual, Mode};
    let mode = match (ring, automatic) {
        (_, Some(confirm_ms)) => Mode::Automatic(Automatic { confirm_ms }),
        (Some(ring_ms), None) => Mode::Manual(Manual { ring_ms }),
        (None, None) => return None,
    };
    Some(v1::AcceptMode { mode: Some(mode) })
}

/// A flag that is missing for what was asked.
pub(super) fn missing(what: &str) -> Failure {
    Failure::new(Kind::Config, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(millis("500ms"), Ok(500));
        assert_eq!(millis("30s"), Ok(30_000));
        assert_eq!(millis("2h"), Ok(7_200_000));
        for bad in ["", "30", "s", "1.5s", "-1s", "30 s", "99999999999999999999s", "18446744073709551615h"] {
            assert!(millis(bad).is_err(), "{bad}");
        }
    }
}
