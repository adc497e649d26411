//! The tests themselves, one question each.

mod agreement;
mod planted;
mod promises;
