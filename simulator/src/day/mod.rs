//! Runs a workload through the routing core alone, in virtual time.
//!
//! Every arrival, acceptance, end of a contact and change of presence is an entry, as in a
//! cluster; only the log, the network and the desks are left out.

mod core;
mod driver;
mod judge;
mod live;
mod simulate;

pub use core::Fault;
pub use driver::{Options, Ran, run};
pub use simulate::{Day, Settings, Simulated, TEXTBOOK_BATCHES, days, logged, replication_seed, textbook};
