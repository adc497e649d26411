//! What is checked, outside the code that it checks.

mod history;
mod inside;
mod shim;

pub use history::History;
pub use inside::Inside;
