//! The pace of offers: both ways, and in events.

use super::Read;
use super::scalar::{millis, span};
use crate::problem::Problem;
use proto::v1;
use routing::pace::Pace;
use serde_json::{Value, json};

/// Reads a pace; absent: none.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub fn read(pace: Option<v1::Pace>) -> Read<Option<Pace>> {
    let Some(wire) = pace else { return Ok(None) };
    let out_of_range =
        |_| Problem::field("pace.offers", format!("{} is out of range: 1 to 20 offers", wire.offers));
    let offers = u8::try_from(wire.offers).map_err(out_of_range)?;
    Ok(Some(Pace { offers, per: span("pace.per_ms", wire.per_ms)? }))
}

/// Writes a pace.
#[must_use]
pub fn write(pace: Pace) -> v1::Pace {
    v1::Pace { offers: pace.offers.into(), per_ms: millis(pace.per) }
}

/// A pace in events, as the message of that name in the API.
pub(super) fn fields(pace: Option<Pace>) -> Value {
    pace.map_or(Value::Null, |pace| json!({ "offers": pace.offers, "per_ms": millis(pace.per) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::Span;

    #[test]
    fn what_is_written_can_be_read_and_what_is_wrong_names_its_field() {
        let pace = Pace { offers: 3, per: Span::seconds(60) };
        assert_eq!(read(Some(write(pace))), Ok(Some(pace)));
        assert_eq!(read(None), Ok(None));
        assert_eq!(fields(Some(pace)), json!({ "offers": 3, "per_ms": 60_000 }));
        assert_eq!(fields(None), Value::Null);
        let field = |offers, per_ms| read(Some(v1::Pace { offers, per_ms })).expect_err("wrong").field;
        assert_eq!(field(256, 60_000).as_deref(), Some("pace.offers"));
        assert_eq!(field(3, u64::MAX).as_deref(), Some("pace.per_ms"));
    }
}
