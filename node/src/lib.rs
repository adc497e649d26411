//! One node as the world sees it: services over the engine, configuration, telemetry, commands.

#[cfg(feature = "binary")]
pub mod backup;
#[cfg(feature = "binary")]
pub mod cli;
#[cfg(feature = "binary")]
pub mod commands;
#[cfg(feature = "binary")]
pub mod config;
pub mod convert;
#[cfg(feature = "binary")]
pub mod demo;
#[cfg(feature = "binary")]
pub mod failure;
pub mod pipe;
pub mod problem;
pub mod server;
pub mod services;
#[cfg(feature = "binary")]
mod serving;
pub mod telemetry;
pub mod world;
