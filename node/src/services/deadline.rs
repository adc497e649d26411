//! How long a caller waits: `grpc-timeout`, or the default.

use super::limits::{DEADLINE_DEFAULT, DEADLINE_MAX};
use std::time::Duration;
use tonic::metadata::MetadataMap;

/// The deadline of a call. A malformed header counts as none.
pub(super) fn of(metadata: &MetadataMap) -> Duration {
    metadata
        .get("grpc-timeout")
        .and_then(|value| parse(value.to_str().ok()?))
        .unwrap_or(DEADLINE_DEFAULT)
        .min(DEADLINE_MAX)
}

fn parse(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let digits = &text[..text.len() - unit.len_utf8()];
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        'H' => Duration::from_secs(amount * 3_600),
        'M' => Duration::from_secs(amount * 60),
        'S' => Duration::from_secs(amount),
        'm' => Duration::from_millis(amount),
        'u' => Duration::from_micros(amount),
        'n' => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_nonsense() {
        assert_eq!(parse("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse("2S"), Some(Duration::from_secs(2)));
        assert_eq!(parse("99999999H"), Some(Duration::from_secs(99_999_999 * 3_600)));
        for bad in ["", "S", "5", "-5S", "+5S", "999999999S", "5s", "5é"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        let mut metadata = MetadataMap::new();
        assert_eq!(of(&metadata), DEADLINE_DEFAULT);
        metadata.insert("grpc-timeout", "2H".parse().expect("ascii"));
        assert_eq!(of(&metadata), DEADLINE_MAX);
    }
}
