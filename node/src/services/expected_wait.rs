//! How long somebody may expect to wait: asked by supervisors, and by whatever brings customers in.

use super::reads;
use crate::convert::expected_wait;
use crate::problem::Problem;
use ::routing::{Rejected, level};
use actors::Engine;
use proto::v1;
use std::time::Duration;

/// Answers either service.
pub(super) async fn answer(
    engine: Engine,
    request: v1::ExpectedWaitRequest,
    deadline: Duration,
) -> Result<v1::ExpectedWaitResponse, Problem> {
    let query = expected_wait::read(request)?;
    // Nodes of an older release cannot read this question.
    let level = engine.level();
    if level < level::EXPECTED {
        return Err(Rejected::Level { level }.into());
    }
    let (found, _) = reads::one_expected_wait(&engine, query, deadline).await?;
    Ok(expected_wait::write(&found))
}
