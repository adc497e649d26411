//! The statistics that reports and imputation need.

mod kaplan_meier;
mod lognormal;
mod ratio;
mod student_t;

pub use kaplan_meier::KaplanMeier;
pub use lognormal::Lognormal;
pub use ratio::{Ratio, ratio};
pub use student_t::{incomplete_beta, student_t_quantile};
