//! How a domain handles contacts: both ways, and in events.

use super::Read;
use super::scalar::{channel, channel_code, millis, optional_span, span};
use crate::problem::Problem;
use proto::v1;
use routing::handling::Handling;
use routing::{Channel, Points};
use serde_json::{Value, json};

/// Reads a handling that must be there.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub fn read_required(handling: Option<v1::Handling>) -> Read<Handling> {
    let missing = || Problem::field("handling", "is required: an empty one takes all of it away");
    let wire = handling.ok_or_else(missing)?;
    let mut seen = [false; 7];
    let mut read =
        Handling { extend_max: span("handling.extend_max_ms", wire.extend_max_ms)?, ..Handling::default() };
    for (place, one) in wire.channels.iter().enumerate() {
        let field = |name: &str| format!("handling.channels[{place}].{name}");
        let index = channel(&field("channel"), one.channel)?.index();
        if std::mem::replace(&mut seen[index], true) {
            return Err(Problem::field(field("channel"), "is there twice: name each channel once"));
        }
        read.connect[index] = optional_span(&field("connect_ms"), one.connect_ms)?;
        read.idle[index] = one.idle_weight.map(|points| idle(&field("idle_weight"), points)).transpose()?;
    }
    Ok(read)
}

fn idle(field: &str, points: u32) -> Read<Points> {
    match u8::try_from(points) {
        Ok(points @ 0..=100) => Ok(Points(points)),
        _ => Err(Problem::field(field, format!("{points} is out of range: 0 to 100 points"))),
    }
}

/// Writes a handling; none where it says nothing.
#[must_use]
pub fn write(handling: &Handling) -> Option<v1::Handling> {
    let one = |channel: Channel| {
        let (connect, idle) = (handling.connect[channel.index()], handling.idle[channel.index()]);
        (connect.is_some() || idle.is_some()).then(|| v1::ChannelHandling {
            channel: channel_code(channel),
            connect_ms: connect.map(millis),
            idle_weight: idle.map(|points| points.0.into()),
        })
    };
    let channels = Channel::ALL.into_iter().filter_map(one).collect();
    (!handling.is_empty()).then(|| v1::Handling { channels, extend_max_ms: millis(handling.extend_max) })
}

/// A handling in events, as the message of that name in the API.
pub(super) fn fields(handling: &Handling) -> Value {
    let name = |channel| v1::Channel::try_from(channel_code(channel)).unwrap_or_default().as_str_name();
    let one = |channel: Channel| {
        let (connect, idle) = (handling.connect[channel.index()], handling.idle[channel.index()]);
        (connect.is_some() || idle.is_some()).then(|| {
            json!({
                "channel": name(channel), "connect_ms": connect.map(millis),
                "idle_weight": idle.map(|points| points.0),
            })
        })
    };
    json!({
        "channels": Channel::ALL.into_iter().filter_map(one).collect::<Value>(),
        "extend_max_ms": millis(handling.extend_max),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::Span;

    #[test]
    fn what_is_written_can_be_read() {
        let mut handling = Handling { extend_max: Span::seconds(60), ..Handling::default() };
        handling.connect[Channel::Voice.index()] = Some(Span::seconds(8));
        handling.idle[Channel::Email.index()] = Some(Points(0));
        let written = write(&handling).expect("something");
        assert_eq!(written.channels.len(), 2);
        assert_eq!(read_required(Some(written)), Ok(handling.clone()));
        let shown = fields(&handling);
        assert_eq!(shown["channels"][0]["channel"], "CHANNEL_VOICE");
        assert_eq!(
            (&shown["channels"][1]["idle_weight"], &shown["extend_max_ms"]),
            (&0.into(), &60_000.into())
        );
        assert_eq!(write(&Handling::default()), None);
        assert_eq!(read_required(Some(v1::Handling::default())), Ok(Handling::default()));
    }

    #[test]
    fn what_is_wrong_names_its_field() {
        let good = v1::ChannelHandling { channel: 1, connect_ms: Some(8_000), idle_weight: None };
        let field = |channels: Vec<v1::ChannelHandling>| {
            let handling = v1::Handling { channels, extend_max_ms: 0 };
            read_required(Some(handling)).expect_err("wrong").field.expect("named")
        };
        let bad = v1::ChannelHandling { channel: 0, ..good };
        assert_eq!(field(vec![good, bad]), "handling.channels[1].channel");
        assert_eq!(field(vec![good, good]), "handling.channels[1].channel");
        let bad = v1::ChannelHandling { idle_weight: Some(101), ..good };
        assert_eq!(field(vec![bad]), "handling.channels[0].idle_weight");
        let bad = v1::ChannelHandling { connect_ms: Some(u64::MAX), ..good };
        assert_eq!(field(vec![bad]), "handling.channels[0].connect_ms");
        assert_eq!(read_required(None).expect_err("missing").field.as_deref(), Some("handling"));
    }
}
