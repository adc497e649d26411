//! An exported log applied again, offline, by the routing core alone.
//!
//! The file says what the state must hash to here and there: when it does not, this build decides
//! otherwise than the node did, and the index between the last good hash and the bad one is where.

mod check;
mod json;
mod player;
mod show;

pub use check::Checker;
pub use json::to_json;
pub use player::{Player, ReplayError, Seen, Summary};
pub use show::{Shown, Subject};
