//! The tests themselves, one question each.

mod agreement;
mod pictures;
mod planted;
mod promises;
