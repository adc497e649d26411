//! A domain for as long as it takes: a picture where the record does not reach back, events after it.

use crate::{Client, Events, Picture, again};
use proto::v1;
use std::time::Duration;
use tonic::Status;
use tonic_types::StatusExt;

/// Pauses between attempts grow up to this.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// What [`Follow::next`] tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Followed {
    /// The domain as of one event: it takes the place of everything told before.
    Picture(Box<Picture>),
    /// The next event, without a gap.
    Event(Box<v1::Event>),
}

/// Follows a domain, whatever comes between: nodes that die, a record that no longer reaches back as far
/// as is wanted, a cluster that was restored from a backup.
pub struct Follow {
    client: Client,
    domain: String,
    events: Events,
    /// A picture is wanted, not before this event of this incarnation.
    wanted: Option<(u64, u64)>,
    attempt: usize,
    pause: Duration,
}

impl Client {
    /// Follows a domain from a place in its record on: incarnation and sequence of the next event, as
    /// [`Follow::place`] says. Zeros begin with a picture.
    #[must_use]
    pub fn follow(&self, domain: &str, (incarnation, next): (u64, u64)) -> Follow {
        Follow {
            client: self.clone(),
            domain: domain.to_owned(),
            events: Events::from(self.clone(), domain, (incarnation, next)),
            wanted: (next == 0).then_some((0, 0)),
            attempt: 0,
            pause: self.times.pause,
        }
    }
}

impl Follow {
    /// What comes next. Waits for it as long as it takes. Safe to drop while it waits; a picture that is
    /// under way begins again then.
    ///
    /// # Errors
    /// What neither waiting nor a picture can help: the domain does not exist; `DATA_LOSS`, a node's record
    /// has a gap.
    pub async fn next(&mut self) -> Result<Followed, Status> {
        loop {
            if let Some(seen) = self.wanted {
                let picture = self.picture(seen).await?;
                let place = (picture.header.incarnation, picture.next());
                self.events = Events::from(self.client.clone(), &self.domain, place);
                self.wanted = None;
                return Ok(Followed::Picture(Box::new(picture)));
            }
            match self.events.next().await {
                Ok(event) => return Ok(Followed::Event(Box::new(event))),
                Err(status) => self.wanted = Some(picture_helps(&status, self.events.place()).ok_or(status)?),
            }
        }
    }

    /// Where it stands: the incarnation and the sequence of the next event; zeros before the first picture.
    #[must_use]
    pub fn place(&self) -> (u64, u64) {
        self.events.place()
    }

    async fn picture(&mut self, (incarnation, not_before): (u64, u64)) -> Result<Picture, Status> {
        loop {
            let request = v1::PictureRequest { domain: self.domain.clone(), not_before, incarnation };
            let status = match self.client.take_picture(self.attempt, request).await {
                Ok(picture) => {
                    self.pause = self.client.times.pause;
                    return Ok(picture);
                }
                Err(status) => status,
            };
            let Some(pause) = again::after(&status, self.pause) else { return Err(status) };
            self.attempt = self.attempt.wrapping_add(1);
            self.pause = (self.pause * 2).min(PAUSE_MAX);
            tokio::time::sleep(pause).await;
        }
    }
}

/// Whether a picture is the way on: what it must not be before. One that is older than the oldest event
/// kept would lead back here.
fn picture_helps(status: &Status, (incarnation, next): (u64, u64)) -> Option<(u64, u64)> {
    let info = status.get_details_error_info()?;
    match info.reason.as_str() {
        "COMPACTED" => {
            let oldest = info.metadata.get("oldest").and_then(|oldest| oldest.parse().ok()).unwrap_or(0);
            Some((incarnation, next.max(oldest).saturating_sub(1)))
        }
        "RESTORED" => Some((0, 0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Code;
    use tonic_types::ErrorDetails;

    fn refused(reason: &str, oldest: &str) -> Status {
        let facts = [("oldest".to_owned(), oldest.to_owned())];
        let details = ErrorDetails::with_error_info(reason, "centralita", facts);
        Status::with_error_details(Code::OutOfRange, "", details)
    }

    #[test]
    fn a_picture_is_not_before_what_was_seen_nor_before_what_is_kept() {
        for (reason, oldest, wanted) in [
            ("COMPACTED", "50", Some((7, 49))),
            ("COMPACTED", "20", Some((7, 29))),
            ("COMPACTED", "", Some((7, 29))),
            ("RESTORED", "", Some((0, 0))),
            ("UNKNOWN_DOMAIN", "", None),
        ] {
            assert_eq!(picture_helps(&refused(reason, oldest), (7, 30)), wanted, "{reason} {oldest}");
        }
        assert_eq!(picture_helps(&Status::new(Code::OutOfRange, ""), (7, 30)), None);
    }
}
