//! What is checked, outside the code that it checks.

mod call;
mod case;
mod history;
mod inside;
mod judge;
mod lease;
mod picture;
mod r01;
mod r03;
mod r04;
mod r06;
mod r10;
mod r13;
mod r16;
mod r19;
mod read;
mod record;
mod sight;
mod silent;
mod situations;
mod state;
mod stores;
mod tale;
#[cfg(test)]
mod tests;

pub use call::{Answer, Asked, Call, Outcome, Seat};
pub use history::{History, Opened};
pub(crate) use history::{now_ms, now_us};
pub use inside::Inside;
pub use read::{Audit, ConversationSeen, Read, Stage};
pub use sight::{AgentSeen, Said, Shown, Sight};
pub use tale::{Entered, Tale};
