//! One node as the world sees it: services over the engine, configuration, telemetry, commands.

pub mod cli;
pub mod commands;
pub mod config;
pub mod convert;
pub mod demo;
pub mod failure;
pub mod problem;
pub mod server;
pub mod services;
pub mod telemetry;
pub mod world;
