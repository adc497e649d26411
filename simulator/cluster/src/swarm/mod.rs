//! Many runs, each in a process of its own: started, limited, counted and judged.

mod case;
mod child;
mod coverage;
mod failure;
mod interrupt;
mod limits;
mod pool;
mod progress;
mod scenario;
mod seeds;
mod speed;
mod stacks;
mod summary;
mod totals;

pub use case::Case;
pub use child::{Child, Ending, Hung, Run};
pub use coverage::{Coverage, SEEDS_NEEDED_TOGETHER};
pub use failure::Failure;
pub use interrupt::Interrupt;
pub use limits::parse_duration;
pub use pool::{End, Pool};
pub use progress::Progress;
pub use scenario::Scenario;
pub use seeds::Seeds;
pub use speed::{Quantiles, Speeds};
pub use stacks::Stacks;
pub use summary::Summary;
pub use totals::Totals;
