//! One file per command.

pub mod config;
pub mod ctl;
pub mod demo;
pub mod restore;
pub mod serve;
