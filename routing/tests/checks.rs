//! The core checked from outside: against a naive model, by its promises, and with planted faults.

mod cases;
mod model;
mod support;
