//! The load client: agents as real sessions and customers as real calls, through gRPC only.
//!
//! [`Load::prepare`] sets everything up and connects the desks, [`Load::run`] runs the workload at
//! the cluster's own speed of log time and judges what was seen.
//!
//! Arrivals are scheduled open loop: a slow cluster does not slow down those who come. Latencies
//! are real time and count from the moment a call was meant to begin, so that waiting for a slow
//! answer is not left out of the next one's latency. A contact's end is stamped, as nearly as can
//! be, with the log time of its offer plus its service time, and a customer's leaving with that of
//! the arrival plus patience: the client learns how far ahead it must send. So at a high speed the
//! way to the cluster lengthens what a caller waits for the accept, and little else.

mod board;
mod caller;
mod clock;
mod customer;
mod desk;
mod desk_link;
mod desk_requests;
mod history;
mod latency;
mod outcome;
mod pulse;
mod recorder;
mod run;
mod setup;
mod site;
mod synthetic;
mod target;

pub use board::{Figures, QueueFigures};
pub use outcome::{Outcome, SiteOutcome};
pub use run::{Load, Options, Progress, Watcher};
pub use site::Manners;
pub use synthetic::Synthetic;
