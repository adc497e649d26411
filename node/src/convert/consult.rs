//! Consultations: about what, whom, and for how long.

use super::Read;
use super::ids::id;
use super::scalar::span;
use routing::command::By;
use routing::{Command, Span};

/// How long a consultation lasts at most where it is not said.
const LASTS: Span = Span::seconds(1_800);

/// A consultation as a message has it.
pub(crate) struct Consult<'a> {
    pub(crate) conversation: &'a str,
    /// The agent who is asked.
    pub(crate) asked: &'a str,
    /// 0: as long as is usual.
    pub(crate) lasts_ms: u64,
    pub(crate) by: By,
}

/// Reads a consultation; the core says how long one may last.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub(crate) fn read_consult(consult: Consult<'_>) -> Read<Command> {
    let Consult { conversation, asked, lasts_ms, by } = consult;
    Ok(Command::Consult {
        conversation: id("conversation", conversation)?,
        agent: id("asked", asked)?,
        lasts: if lasts_ms == 0 { LASTS } else { span("lasts_ms", lasts_ms)? },
        by,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(asked: &str, lasts_ms: u64) -> Read<Command> {
        read_consult(Consult { conversation: "conv_1_1", asked, lasts_ms, by: By::Supervisor("Sol".into()) })
    }

    #[test]
    fn it_lasts_half_an_hour_unless_it_is_said() {
        let lasts = |ms| match read("agent_1_2", ms) {
            Ok(Command::Consult { lasts, .. }) => lasts,
            other => panic!("{other:?}"),
        };
        assert_eq!((lasts(0), lasts(90_000)), (Span::seconds(1_800), Span::seconds(90)));
    }

    #[test]
    fn whom_to_ask_is_needed() {
        assert_eq!(read("", 0).unwrap_err().field.as_deref(), Some("asked"));
        assert_eq!(read("agent_1_2", u64::MAX).unwrap_err().field.as_deref(), Some("lasts_ms"));
    }
}
