//! The one report of `day`, `load` and `demo`: the same figures under the same JSON keys.

mod curves;
mod figures;
mod page;
mod plots;
mod table;
mod tally;

pub use figures::{CallEnd, CallRecord, DayFigures, Interval, LatencyMs, Report, Shares};
pub use page::{Page, page};
pub use plots::CannotDraw;
pub use table::table;
pub use tally::{Batch, Tally, report};
