//! Customers, agents, supervisors, administrators and watchers: tasks that speak gRPC alone.

mod answered;
mod auditor;
mod callback;
mod caller;
mod channel_rules;
mod consult;
mod criteria;
mod customer;
mod desk;
mod explaining;
mod handling;
mod hours;
mod line;
mod lines;
mod pace;
mod policies;
mod realm;
mod request;
mod ring;
mod seen;
mod settings;
mod setup;
mod site;
mod submit;
mod supervisor;
mod watcher;
mod way;

pub use line::{Line, Reach};
pub use site::Site;

/// What clients are meant to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Work, while anything may fail.
    Safety,
    /// No new conversations, no mischief; everybody finishes what there is.
    Liveness,
    /// The run is over: stop.
    Over,
}
