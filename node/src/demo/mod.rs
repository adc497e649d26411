//! A whole cluster in one process tree, with a day of calls through it.
//!
//! The parent starts the nodes as children, drives them as any client would, and shows what
//! happens. Whatever ends the parent ends the children: it closes their standard input, which they
//! watch, and what it leaves to itself (an end, an error, a signal, a panic) also removes the
//! folder with their data.

mod children;
mod input;
mod ready;
mod screen;

pub use children::{Children, Launch};
pub use input::{Hours, Input, bad_hours};
pub use ready::{leaders, wait_until_led};
pub use screen::show;
