//! Where logs and traces go: stderr always, an OTLP collector if one is named.

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::io::{IsTerminal, stderr};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON object per line, for machines.
    Json,
}

/// What is logged, how, and where traces go.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// A filter such as `info` or `warn,actors=debug`.
    pub filter: String,
    /// How lines look.
    pub format: Format,
    /// An OTLP collector's gRPC endpoint, for example `http://127.0.0.1:4317`.
    pub otlp: Option<String>,
    /// The node's name in traces.
    pub instance: String,
}

/// Why telemetry does not start.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The filter does not parse.
    #[error("log filter '{filter}': {error}")]
    Filter {
        /// As given.
        filter: String,
        /// What is wrong.
        error: String,
    },
    /// The collector's address does not parse.
    #[error("otlp endpoint '{endpoint}': {error}")]
    Otlp {
        /// As given.
        endpoint: String,
        /// What is wrong.
        error: String,
    },
    /// Something else in this process logs already.
    #[error("logging is set up already: {0}")]
    Twice(#[from] TryInitError),
}

/// Keeps what must be flushed at the end.
#[derive(Debug)]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Writes what is due. Blocks for a few seconds at most when the collector does not answer.
    pub fn stop(self) {
        if let Some(Err(error)) = self.provider.map(|provider| provider.shutdown()) {
            tracing::warn!(%error, "the last traces could not be exported");
        }
    }
}

/// Starts logging, and exporting traces if a collector is named. Inside a tokio runtime.
///
/// # Errors
/// See [`SetupError`].
pub fn start(settings: &Settings) -> Result<Telemetry, SetupError> {
    let filter = EnvFilter::try_new(consensus::quiet_filter(&settings.filter))
        .map_err(|error| SetupError::Filter { filter: settings.filter.clone(), error: error.to_string() })?;
    let lines = match settings.format {
        Format::Human => {
            fmt::layer().with_ansi(stderr().is_terminal()).with_writer(stderr).with_filter(filter).boxed()
        }
        Format::Json => fmt::layer().json().with_writer(stderr).with_filter(filter).boxed(),
    };
    let provider =
        settings.otlp.as_deref().map(|endpoint| exporter(endpoint, &settings.instance)).transpose()?;
    let traces = provider.as_ref().map(|provider| {
        // The filter is for readers of lines: a quiet log must not cut traces short.
        let tracer = provider.tracer("centralita");
        tracing_opentelemetry::layer().with_tracer(tracer).with_filter(LevelFilter::INFO)
    });
    tracing_subscriber::registry().with(traces).with(lines).try_init()?;
    Ok(Telemetry { provider })
}

fn exporter(endpoint: &str, instance: &str) -> Result<SdkTracerProvider, SetupError> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .map_err(|error| SetupError::Otlp { endpoint: endpoint.to_owned(), error: error.to_string() })?;
    let resource = Resource::builder()
        .with_service_name("centralita")
        .with_attribute(KeyValue::new("service.instance.id", instance.to_owned()))
        .build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}
