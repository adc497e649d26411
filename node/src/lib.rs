//! One node as the world sees it: services over the engine, configuration, telemetry, commands.

pub mod convert;
pub mod problem;
pub mod services;
pub mod telemetry;
