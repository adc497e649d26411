//! Quantities with their units as types. Integers only: no floats in order or state.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

/// Log time in microseconds since the shard's log began: a clock that only entries move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogTime(pub u64);

/// A length of log time in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span(pub u64);

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// A span of whole milliseconds.
    #[must_use]
    pub const fn millis(ms: u64) -> Self {
        Span(ms * 1_000)
    }

    /// A span of whole seconds.
    #[must_use]
    pub const fn seconds(s: u64) -> Self {
        Span(s * 1_000_000)
    }

    /// In seconds, for people and reports (never for decisions).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "reports only")]
    pub fn as_seconds_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl LogTime {
    /// Time since an earlier moment; zero if that moment is later.
    #[must_use]
    pub const fn since(self, earlier: LogTime) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Span> for LogTime {
    type Output = LogTime;
    fn add(self, span: Span) -> LogTime {
        LogTime(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for LogTime {
    type Output = LogTime;
    fn sub(self, span: Span) -> LogTime {
        LogTime(self.0.saturating_sub(span.0))
    }
}

/// Capacity points. An agent has [`Points::AGENT_MAX`]; a conversation weighs 1 to 100.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Points(pub u8);

impl Points {
    /// What an agent has at most.
    pub const AGENT_MAX: Points = Points(100);
    /// What a voice conversation weighs, fixed: two calls at once never fit one agent.
    pub const VOICE: Points = Points(51);
}

/// Priority of a conversation: higher goes first. 0 is the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Priority(pub u8);

/// One connection of an agent's desk. Each new one raises the epoch; 0 means never connected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch(pub u64);

/// A domain's event sequence: dense from 1, never a gap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sequence(pub u64);

/// Version of one entity: grows by one with each event about it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version(pub u64);

/// How customers reach the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Channel {
    /// A telephone call.
    Voice,
    /// A chat on a site.
    Chat,
    /// A text message.
    Sms,
    /// An e-mail.
    Email,
    /// A WhatsApp message.
    Whatsapp,
    /// A Facebook Messenger message.
    Messenger,
    /// The company's own app.
    DigitalConnect,
}

impl Channel {
    /// All channels, in the order of their codes.
    pub const ALL: [Channel; 7] = [
        Channel::Voice,
        Channel::Chat,
        Channel::Sms,
        Channel::Email,
        Channel::Whatsapp,
        Channel::Messenger,
        Channel::DigitalConnect,
    ];

    /// The name in the API and in configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Channel::Voice => "voice",
            Channel::Chat => "chat",
            Channel::Sms => "sms",
            Channel::Email => "email",
            Channel::Whatsapp => "whatsapp",
            Channel::Messenger => "messenger",
            Channel::DigitalConnect => "digital_connect",
        }
    }

    /// Position in [`Channel::ALL`], 0 to 6.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A channel name that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a channel: use voice, chat, sms, email, whatsapp, messenger or digital_connect")]
pub struct UnknownChannel(pub String);

impl FromStr for Channel {
    type Err = UnknownChannel;
    fn from_str(text: &str) -> Result<Self, UnknownChannel> {
        Channel::ALL
            .into_iter()
            .find(|channel| channel.name() == text)
            .ok_or_else(|| UnknownChannel(text.to_owned()))
    }
}

/// A set of channels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChannelSet(pub u8);

impl ChannelSet {
    /// Every channel.
    pub const ALL: ChannelSet = ChannelSet(0x7f);

    /// The set with this channel added.
    #[must_use]
    pub const fn with(self, channel: Channel) -> Self {
        ChannelSet(self.0 | 1 << channel as u8)
    }

    /// Whether the channel is in the set.
    #[must_use]
    pub const fn contains(self, channel: Channel) -> bool {
        self.0 & (1 << channel as u8) != 0
    }

    /// The channels in the set, in order.
    pub fn iter(self) -> impl Iterator<Item = Channel> {
        Channel::ALL.into_iter().filter(move |channel| self.contains(*channel))
    }
}

impl FromIterator<Channel> for ChannelSet {
    fn from_iter<T: IntoIterator<Item = Channel>>(channels: T) -> Self {
        channels.into_iter().fold(ChannelSet::default(), ChannelSet::with)
    }
}
