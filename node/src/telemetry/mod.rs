//! Spans of calls, and where logs and traces go.
//!
//! Levels: ERROR means that a person must look; WARN that something was bent and mended itself;
//! INFO is the life of the node; a call that was refused is DEBUG, since it is the caller's news.

#[cfg(feature = "binary")]
mod metadata;
#[cfg(feature = "binary")]
mod setup;

#[cfg(feature = "binary")]
pub use setup::{Format, Settings, SetupError, Telemetry, start};

use crate::problem::Problem;
use tonic::Code;
use tonic::metadata::MetadataMap;
use tracing::{Span, field};

/// The span of a unary call, continuing the caller's trace if it sent one (`traceparent`).
pub(crate) fn rpc_span(method: &'static str, metadata: &MetadataMap) -> Span {
    let span = tracing::info_span!(
        "rpc",
        otel.name = method,
        otel.kind = "server",
        rpc.system = "grpc",
        reason = field::Empty,
    );
    go_on(&span, metadata);
    span
}

/// Continues the caller's trace.
#[cfg(feature = "binary")]
fn go_on(span: &Span, metadata: &MetadataMap) {
    use opentelemetry::propagation::TextMapPropagator;
    use opentelemetry_sdk::propagation::TraceContextPropagator;
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    if metadata.contains_key("traceparent") {
        let parent = TraceContextPropagator::new().extract(&metadata::Carrier(metadata));
        // Fails only when traces are not exported, and then there is nothing to continue.
        let _ = span.set_parent(parent);
    }
}

/// Nothing exports traces here.
#[cfg(not(feature = "binary"))]
fn go_on(_: &Span, _: &MetadataMap) {}

/// The span of one request inside a stream.
pub(crate) fn stream_span(method: &'static str) -> Span {
    tracing::info_span!(
        "rpc",
        otel.name = method,
        otel.kind = "server",
        rpc.system = "grpc",
        reason = field::Empty,
    )
}

/// Notes in a call's span why it has no result.
pub(crate) fn note_problem(span: &Span, problem: &Problem) {
    span.record("reason", problem.reason);
    span.in_scope(|| match problem.code {
        Code::Internal | Code::DataLoss => tracing::error!(%problem, reason = problem.reason, "call failed"),
        _ => tracing::debug!(%problem, reason = problem.reason, "call refused"),
    });
}
