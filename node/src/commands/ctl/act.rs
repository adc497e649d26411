//! What a supervisor does: transfer, close, presence, pause, log out, reprioritise.

use super::client::{Client, mutation};
use super::output::Output;
use super::settings::millis;
use crate::failure::Failure;
use clap::ValueEnum;
use proto::v1;
use proto::v1::intent::{Available, Draining, Intent as Kind, Unavailable};
use proto::v1::supervisor_client::SupervisorClient;
use proto::v1::transfer_target::Target;

macro_rules! act {
    ($client:ident, $out:ident, $method:ident, $request:expr) => {{
        let request = $request;
        let call = || async { SupervisorClient::new($client.channel.clone()).$method(request.clone()).await };
        $out.done(&$client.call(call).await?)
    }};
}

/// Moves a conversation.
#[derive(Debug, clap::Args)]
pub(super) struct Transfer {
    /// Which.
    conversation: String,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct To {
    /// To an agent, who gets an offer.
    #[arg(long, value_name = "AGENT")]
    to_agent: Option<String>,
    /// To a queue, at its age.
    #[arg(long, value_name = "QUEUE")]
    to_queue: Option<String>,
    /// To the inbox of a queue's agents, at its age.
    #[arg(long, value_name = "QUEUE")]
    to_inbox: Option<String>,
    /// To another domain of the account, as if it had reached this touchpoint there, at its age.
    #[arg(long, value_name = "TOUCHPOINT")]
    to_touchpoint: Option<String>,
}

impl Transfer {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let To { to_agent, to_queue, to_inbox, to_touchpoint } = self.to;
        let inside =
            to_agent.map(Target::Agent).or(to_queue.map(Target::Queue)).or(to_inbox.map(Target::Inbox));
        let target = inside.or(to_touchpoint.map(Target::Touchpoint));
        act!(
            client,
            out,
            transfer,
            v1::SupervisorTransferRequest {
                mutation: mutation(),
                supervisor,
                conversation: self.conversation,
                target: Some(v1::TransferTarget { target }),
                ..Default::default()
            }
        )
    }
}

/// Closes a conversation.
#[derive(Debug, clap::Args)]
pub(super) struct Close {
    /// Which.
    conversation: String,
    /// Why.
    #[arg(long, default_value = "closed by a supervisor")]
    reason: String,
}

impl Close {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let Close { conversation, reason } = self;
        let request = v1::ForceCloseRequest { mutation: mutation(), supervisor, conversation, reason };
        act!(client, out, force_close, request)
    }
}

/// An agent's intent.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Intent {
    /// Takes offers, once its desk is connected.
    Available,
    /// Takes none.
    Unavailable,
    /// Takes no more; unavailable when the last work is done.
    Draining,
}

/// Sets an agent's presence.
#[derive(Debug, clap::Args)]
pub(super) struct Presence {
    /// Whose.
    agent: String,
    /// What it means to do.
    intent: Intent,
    /// Why unavailable.
    #[arg(long, default_value = "set by a supervisor")]
    reason: String,
}

impl Presence {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let intent = match self.intent {
            Intent::Available => Kind::Available(Available {}),
            Intent::Unavailable => Kind::Unavailable(Unavailable { reason: self.reason }),
            Intent::Draining => Kind::Draining(Draining { next: self.reason }),
        };
        act!(
            client,
            out,
            set_presence,
            v1::SupervisorSetPresenceRequest {
                mutation: mutation(),
                supervisor,
                agent: self.agent,
                intent: Some(v1::Intent { intent: Some(intent) }),
            }
        )
    }
}

/// Pauses a queue, or lets it go on.
#[derive(Debug, clap::Args)]
pub(super) struct Pause {
    /// Which.
    queue: String,
    /// Lets it go on.
    #[arg(long)]
    resume: bool,
}

impl Pause {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let (queue, paused) = (self.queue, !self.resume);
        let request = v1::PauseQueueRequest { mutation: mutation(), supervisor, queue, paused };
        act!(client, out, pause_queue, request)
    }
}

/// Ends an agent's session.
#[derive(Debug, clap::Args)]
pub(super) struct LogOut {
    /// Whose.
    agent: String,
}

impl LogOut {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let request = v1::LogOutRequest { mutation: mutation(), supervisor, agent: self.agent };
        act!(client, out, log_out, request)
    }
}

/// Changes the priority of waiting work.
#[derive(Debug, clap::Args)]
pub(super) struct Reprioritise {
    /// Which.
    conversation: String,
    /// 0 to 255, higher goes first.
    priority: u32,
}

impl Reprioritise {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let Reprioritise { conversation, priority } = self;
        let request = v1::ReprioritiseRequest { mutation: mutation(), supervisor, conversation, priority };
        act!(client, out, reprioritise, request)
    }
}

/// Says that a conversation waits on its customer.
#[derive(Debug, clap::Args)]
pub(super) struct Idle {
    /// Which.
    conversation: String,
    /// It no longer waits.
    #[arg(long)]
    over: bool,
}

impl Idle {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let (conversation, idle) = (self.conversation, !self.over);
        let request = v1::SupervisorSetIdleRequest { mutation: mutation(), supervisor, conversation, idle };
        act!(client, out, set_idle, request)
    }
}

/// Lets a wrap-up last longer.
#[derive(Debug, clap::Args)]
pub(super) struct Extend {
    /// Which conversation's.
    conversation: String,
    /// By how much, for example 90s or 2m.
    #[arg(value_parser = millis)]
    longer: u64,
}

impl Extend {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let (conversation, longer_ms) = (self.conversation, self.longer);
        let request =
            v1::SupervisorExtendWrapUpRequest { mutation: mutation(), supervisor, conversation, longer_ms };
        act!(client, out, extend_wrap_up, request)
    }
}
