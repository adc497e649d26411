//! Random command sequences, machines to run them on, and what to do when two machines disagree.

pub mod asking;
pub mod blocking;
pub mod by;
pub mod calling;
pub mod clocks;
pub mod consulting;
pub mod draw;
pub mod generator;
pub mod handling;
pub mod hours;
pub mod machine;
pub mod pacing;
pub mod policing;
pub mod ringing;
pub mod run;
pub mod split;
pub mod worlds;
