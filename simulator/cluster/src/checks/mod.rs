//! What is checked, outside the code that it checks.

mod history;
mod inside;

pub use history::History;
pub use inside::Inside;
