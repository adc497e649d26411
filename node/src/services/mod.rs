//! The gRPC services of `centralita.v1`, one file each, over the engine.

mod admin;
mod admin_domains;
mod call;
mod cluster;
mod deadline;
mod desk;
mod events;
mod expected_wait;
mod picture;
mod queue_watch;
mod reads;
mod routing;
mod session;
mod session_hello;
mod session_request;
mod submit;
mod supervisor;

pub use admin::AdminService;
pub use call::Shared;
pub use cluster::{ClusterService, name_of};
pub use desk::DeskService;
pub use events::EventsService;
pub use routing::RoutingService;
pub use supervisor::SupervisorService;

use std::pin::Pin;
use std::time::Duration;
use tonic::Status;

/// A stream of answers.
pub type Answers<T> = Pin<Box<dyn futures::Stream<Item = Result<T, Status>> + Send + 'static>>;

/// Bounds of the services. Everything that can grow has one.
pub mod limits {
    use super::Duration;

    /// Largest message a client may send, in bytes.
    pub const MESSAGE_BYTES_MAX: usize = 4 << 20;
    /// Unary calls under way at once at this node.
    pub const CALLS_MAX: usize = 4_096;
    /// Desks connected at once to this node.
    pub const SESSIONS_MAX: usize = 50_000;
    /// Streams of `Submit` open at once at this node.
    pub const SUBMITS_MAX: usize = 1_024;
    /// Streams of `Watch` and `WatchQueues` open at once at this node.
    pub const WATCHES_MAX: usize = 1_024;
    /// Pictures of domains under way at once at this node: each is a copy of one.
    pub const PICTURES_MAX: usize = 4;
    /// How long a client may not take a batch of a picture that is waiting for it.
    pub const PICTURE_SLOW_MAX: Duration = Duration::from_secs(10);
    /// Exports of logs under way at once at this node: each may hold a snapshot in memory.
    pub const EXPORTS_MAX: usize = 2;
    /// Commands of one `Submit` stream under way at once; further ones are not read meanwhile.
    pub const SUBMIT_IN_FLIGHT_MAX: usize = 1_024;
    /// Requests of one desk under way at once; further ones are not read meanwhile.
    pub const DESK_IN_FLIGHT_MAX: usize = 32;
    /// Messages waiting to be written to one desk.
    pub const DESK_OUT_MAX: usize = 256;
    /// How long a desk may not take a message that is waiting for it.
    pub const DESK_SLOW_MAX: Duration = Duration::from_secs(5);
    /// Time for a desk to say hello.
    pub const HELLO_MAX: Duration = Duration::from_secs(10);
    /// Deadline of calls that name none, and of commands in streams.
    pub const DEADLINE_DEFAULT: Duration = Duration::from_secs(10);
    /// Longest deadline that is honoured.
    pub const DEADLINE_MAX: Duration = Duration::from_secs(60);
}
