//! The commands of `centralita-sim`, one file each.

#[cfg(feature = "tools")]
pub mod day;
#[cfg(feature = "tools")]
pub mod load;
pub mod replay;

#[cfg(feature = "tools")]
pub use cli::Cli;

#[cfg(feature = "tools")]
mod cli;
