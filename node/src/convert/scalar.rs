//! Numbers, times and channels.

use super::Read;
use super::limits::{PAGE_DEFAULT, PAGE_MAX, SPAN_MS_MAX};
use crate::problem::Problem;
use proto::v1;
use routing::{Channel, Points, Priority, Span};

/// Reads a required channel.
///
/// # Errors
/// `INVALID_ARGUMENT` when it is unspecified or unknown to this build.
pub fn channel(field: &str, code: i32) -> Read<Channel> {
    Ok(match v1::Channel::try_from(code) {
        Ok(v1::Channel::Voice) => Channel::Voice,
        Ok(v1::Channel::Chat) => Channel::Chat,
        Ok(v1::Channel::Sms) => Channel::Sms,
        Ok(v1::Channel::Email) => Channel::Email,
        Ok(v1::Channel::Whatsapp) => Channel::Whatsapp,
        Ok(v1::Channel::Messenger) => Channel::Messenger,
        Ok(v1::Channel::DigitalConnect) => Channel::DigitalConnect,
        Ok(v1::Channel::Unspecified) => {
            return Err(Problem::field(field, "is required, for example CHANNEL_VOICE or CHANNEL_CHAT"));
        }
        Err(_) => {
            return Err(Problem::field(
                field,
                format!("{code} is not a channel: use CHANNEL_VOICE (1) to CHANNEL_DIGITAL_CONNECT (7)"),
            ));
        }
    })
}

/// Writes a channel.
#[must_use]
pub fn channel_code(channel: Channel) -> i32 {
    let channel = match channel {
        Channel::Voice => v1::Channel::Voice,
        Channel::Chat => v1::Channel::Chat,
        Channel::Sms => v1::Channel::Sms,
        Channel::Email => v1::Channel::Email,
        Channel::Whatsapp => v1::Channel::Whatsapp,
        Channel::Messenger => v1::Channel::Messenger,
        Channel::DigitalConnect => v1::Channel::DigitalConnect,
    };
    channel.into()
}

/// Reads 16 bytes that a node has drawn.
///
/// # Errors
/// `INVALID_ARGUMENT` for any other number of bytes.
pub fn nonce(field: &str, bytes: &[u8]) -> Read<u128> {
    let bytes: Result<[u8; 16], _> = bytes.try_into();
    bytes.map(u128::from_be_bytes).map_err(|_| Problem::field(field, "must have 16 bytes"))
}

/// Reads milliseconds.
///
/// # Errors
/// `INVALID_ARGUMENT` above 30 days.
pub fn span(field: &str, ms: u64) -> Read<Span> {
    if ms > SPAN_MS_MAX {
        return Err(Problem::field(
            field,
            format!("{ms} ms is out of range: at most {SPAN_MS_MAX} ms (30 days)"),
        ));
    }
    Ok(Span::millis(ms))
}

/// Reads milliseconds that may be absent.
///
/// # Errors
/// As [`span`].
pub fn optional_span(field: &str, ms: Option<u64>) -> Read<Option<Span>> {
    ms.map(|ms| span(field, ms)).transpose()
}

/// Writes a span in milliseconds.
#[must_use]
pub fn millis(span: Span) -> u64 {
    span.0 / 1_000
}

/// Reads points, 1 to 100.
///
/// # Errors
/// `INVALID_ARGUMENT` outside of that.
pub fn points(field: &str, points: u32) -> Read<Points> {
    match u8::try_from(points) {
        Ok(points @ 1..=100) => Ok(Points(points)),
        _ => Err(Problem::field(field, format!("{points} is out of range: 1 to 100 points"))),
    }
}

/// Reads a priority, 0 to 255.
///
/// # Errors
/// `INVALID_ARGUMENT` above.
pub fn priority(field: &str, priority: u32) -> Read<Priority> {
    u8::try_from(priority).map(Priority).map_err(|_| {
        Problem::field(field, format!("{priority} is out of range: 0 to 255, higher goes first"))
    })
}

/// Reads the size of a page; 0 is the default.
///
/// # Errors
/// `INVALID_ARGUMENT` above [`PAGE_MAX`].
pub fn page(field: &str, limit: u32) -> Read<usize> {
    match limit {
        0 => Ok(PAGE_DEFAULT as usize),
        1..=PAGE_MAX => Ok(limit as usize),
        _ => Err(Problem::field(
            field,
            format!("{limit} is out of range: 1 to {PAGE_MAX}, or 0 for {PAGE_DEFAULT}"),
        )),
    }
}

/// Reads a part of a message that must be there.
///
/// # Errors
/// `INVALID_ARGUMENT` when it is not.
pub fn required<T>(field: &str, part: Option<T>) -> Read<T> {
    part.ok_or_else(|| Problem::field(field, "is required"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_round_trip_and_nothing_else_is_one() {
        for wanted in Channel::ALL {
            assert_eq!(channel("channel", channel_code(wanted)), Ok(wanted));
        }
        for bad in [0, 8, -1] {
            assert_eq!(channel("channel", bad).unwrap_err().field.as_deref(), Some("channel"));
        }
    }

    #[test]
    fn ranges() {
        assert!(points("weight", 0).is_err());
        assert_eq!(points("weight", 100), Ok(Points(100)));
        assert!(points("weight", 101).is_err());
        assert!(points("weight", 257).is_err(), "must not wrap");
        assert!(priority("priority", 256).is_err());
        assert!(span("ring", SPAN_MS_MAX + 1).is_err());
        assert!(span("ring", u64::MAX).is_err(), "must not overflow");
        assert_eq!(page("limit", 0), Ok(100));
        assert!(page("limit", 1_001).is_err());
    }
}
