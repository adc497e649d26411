//! The tests themselves, one question each.

mod agreement;
mod moves;
mod pictures;
mod place_gone;
mod planted;
mod policies;
mod promises;
