//! Who is in the cluster, and how its groups come to have the members they should.
//!
//! What should be is in the meta group's state; what is, in each group's own log. The leader of a
//! group compares the two and takes the next single step ([`plan`]); whoever leads after it reads
//! the same two and goes on, so nothing is lost with a leader.

mod elsewhere;
mod level;
mod moves;
mod plan;
mod tend;
mod zones;

pub(crate) use moves::Mover;
pub(crate) use tend::Tender;
