//! Between the wire and the core's types, one file per area. What is not a value of the core's
//! types is refused here, with the field's name and an example; what is one is judged by the core.

pub mod agent;
pub mod callback;
pub mod channel_rules;
pub mod consult;
pub mod conversation;
pub mod criteria;
pub mod desk;
pub mod domain;
pub mod event;
mod event_fields;
pub mod expected_wait;
pub mod explain;
pub mod explain_queue;
pub mod handling;
pub mod hours;
pub mod ids;
pub mod intent;
pub mod limits;
pub mod mutation;
pub mod notice;
pub mod pace;
pub mod picked;
pub mod policy;
mod policy_fields;
pub mod queue;
pub mod scalar;
pub mod touchpoint;
pub mod transfer;

use crate::problem::Problem;

/// What reading a message gives.
pub type Read<T> = Result<T, Problem>;
