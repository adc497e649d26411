//! The one report of `day`, `load` and `demo`: the same figures under the same JSON keys.

mod facts;
pub use facts::facts;

#[cfg(feature = "tools")]
mod curves;
#[cfg(feature = "tools")]
mod figures;
#[cfg(feature = "tools")]
mod page;
#[cfg(feature = "tools")]
mod plots;
#[cfg(feature = "tools")]
mod table;
#[cfg(feature = "tools")]
mod tally;
#[cfg(feature = "tools")]
mod waits;

#[cfg(feature = "tools")]
pub use figures::{CallEnd, CallRecord, DayFigures, Interval, LatencyMs, QueueFigures, Report, Shares};
#[cfg(feature = "tools")]
pub use page::{Page, page};
#[cfg(feature = "tools")]
pub use plots::CannotDraw;
#[cfg(feature = "tools")]
pub use table::table;
#[cfg(feature = "tools")]
pub use tally::{Batch, Tally, queue_figures, report};
#[cfg(feature = "tools")]
pub use waits::{ExpectedWaits, PLAIN_MINUTES, Said, WaitErrors, WaitTally};
