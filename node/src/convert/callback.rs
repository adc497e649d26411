//! Callbacks: their settings both ways, their pictures, and in events.

use super::Read;
use super::scalar::{millis, span};
use crate::problem::Problem;
use proto::v1;
use routing::callback::{Callback, CallbackSettings};
use serde_json::{Value, json};

/// Reads how a domain calls back; absent: it does not.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub fn read(settings: Option<v1::CallbackSettings>) -> Read<Option<CallbackSettings>> {
    let Some(wire) = settings else { return Ok(None) };
    let out_of_range = |_| {
        Problem::field("callback.attempts", format!("{} is out of range: 1 to 10 attempts", wire.attempts))
    };
    Ok(Some(CallbackSettings {
        attempts: u8::try_from(wire.attempts).map_err(out_of_range)?,
        retry_after: span("callback.retry_after_ms", wire.retry_after_ms)?,
        dial: span("callback.dial_ms", wire.dial_ms)?,
        expires_after: span("callback.expires_after_ms", wire.expires_after_ms)?,
        resume_within: span("callback.resume_within_ms", wire.resume_within_ms)?,
    }))
}

/// Writes how a domain calls back.
#[must_use]
pub fn write(settings: CallbackSettings) -> v1::CallbackSettings {
    let CallbackSettings { attempts, retry_after, dial, expires_after, resume_within } = settings;
    v1::CallbackSettings {
        attempts: attempts.into(),
        retry_after_ms: millis(retry_after),
        dial_ms: millis(dial),
        expires_after_ms: millis(expires_after),
        resume_within_ms: millis(resume_within),
    }
}

/// Writes that a conversation is to be called back.
#[must_use]
pub fn write_callback(callback: &Callback) -> v1::Callback {
    let Callback { contact, requested_at, attempts, not_before, expires_at } = callback;
    v1::Callback {
        contact: contact.clone(),
        requested_at_us: requested_at.0,
        attempts: u32::from(*attempts),
        not_before_us: not_before.map(|at| at.0),
        expires_at_us: expires_at.0,
    }
}

/// How a domain calls back in events, as the message of that name in the API.
pub(super) fn fields(settings: Option<CallbackSettings>) -> Value {
    let Some(settings) = settings else { return Value::Null };
    let v1::CallbackSettings { attempts, retry_after_ms, dial_ms, expires_after_ms, resume_within_ms } =
        write(settings);
    json!({
        "attempts": attempts, "retry_after_ms": retry_after_ms, "dial_ms": dial_ms,
        "expires_after_ms": expires_after_ms, "resume_within_ms": resume_within_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::{LogTime, Span};

    #[test]
    fn what_is_written_can_be_read_and_what_is_wrong_names_its_field() {
        let settings = CallbackSettings {
            attempts: 3,
            retry_after: Span::seconds(300),
            dial: Span::seconds(30),
            expires_after: Span::seconds(3_600),
            resume_within: Span::seconds(60),
        };
        let wire = write(settings);
        assert_eq!(read(Some(wire)), Ok(Some(settings)));
        assert_eq!(read(None), Ok(None));
        assert_eq!(fields(Some(settings))["expires_after_ms"], json!(3_600_000));
        assert_eq!(fields(None), Value::Null);
        let field = |wire| read(Some(wire)).expect_err("wrong").field;
        let many = v1::CallbackSettings { attempts: 256, ..wire };
        assert_eq!(field(many).as_deref(), Some("callback.attempts"));
        let long = v1::CallbackSettings { dial_ms: u64::MAX, ..wire };
        assert_eq!(field(long).as_deref(), Some("callback.dial_ms"));
    }

    #[test]
    fn a_callback_is_written_with_all_it_has() {
        let callback = Callback {
            contact: "+34 600".into(),
            requested_at: LogTime(1),
            attempts: 2,
            not_before: Some(LogTime(3)),
            expires_at: LogTime(4),
        };
        let contact = "+34 600".to_owned();
        let not_before_us = Some(3);
        assert_eq!(
            write_callback(&callback),
            v1::Callback { contact, requested_at_us: 1, attempts: 2, not_before_us, expires_at_us: 4 }
        );
    }
}
