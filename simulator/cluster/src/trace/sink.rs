//! From tracing to a file that is the same whenever the seed is.

use crate::determinism::elapsed;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

/// Bytes of a trace at most; what comes later is left out, and the last line says so.
const TRACE_BYTES_MAX: u64 = 4 << 30;
/// Bytes collected before they are written.
const BUFFER_BYTES: usize = 1 << 20;

/// Targets in full: the product's and the simulator's own.
const OURS: [&str; 6] = ["routing", "consensus", "actors", "node", "simulator", "cluster_simulator"];
/// Targets whose finest level says too much.
const BENEATH: [&str; 8] = ["openraft", "ractor", "h2", "hyper", "hyper_util", "tonic", "tower", "turmoil"];

/// A trace being written; its end is written when this is dropped.
#[must_use]
pub struct Trace(Arc<Sink>);

/// Logs to this file from now on, to the end of the process: one event per line, as
/// `number seconds.micros LEVEL spans target: what`. Neither wall time nor threads nor addresses.
///
/// # Errors
/// The file cannot be made, or something else takes the process's logs already.
pub fn start(path: &Path) -> io::Result<Trace> {
    let sink = Arc::new(Sink::new(File::create(path)?));
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_timer(Stamp::default())
        .with_writer(Arc::clone(&sink))
        .with_filter(targets());
    tracing::subscriber::set_global_default(Registry::default().with(layer)).map_err(io::Error::other)?;
    Ok(Trace(sink))
}

fn targets() -> Targets {
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_targets(OURS.map(|target| (target, LevelFilter::TRACE)))
        .with_targets(BENEATH.map(|target| (target, LevelFilter::DEBUG)))
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// Event number and simulated time in front of each line.
#[derive(Default)]
struct Stamp {
    events: AtomicU64,
    /// The last time shown: turmoil logs while its clock cannot be read, which shows 0.
    last_us: AtomicU64,
}

impl FormatTime for Stamp {
    fn format_time(&self, to: &mut Writer<'_>) -> std::fmt::Result {
        let number = self.events.fetch_add(1, Ordering::Relaxed) + 1;
        let now = u64::try_from(elapsed().as_micros()).unwrap_or(u64::MAX);
        let at = Duration::from_micros(self.last_us.fetch_max(now, Ordering::Relaxed).max(now));
        write!(to, "{number} {}.{:06}", at.as_secs(), at.subsec_micros())
    }
}

struct Sink(Mutex<Out>);

struct Out {
    file: BufWriter<File>,
    written: u64,
}

impl Sink {
    fn new(file: File) -> Self {
        Self(Mutex::new(Out { file: BufWriter::with_capacity(BUFFER_BYTES, file), written: 0 }))
    }

    fn finish(&self) {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if out.written >= TRACE_BYTES_MAX {
            let _ = writeln!(out.file, "the trace ends here: {TRACE_BYTES_MAX} bytes were written");
        }
        let _ = out.file.flush();
    }
}

impl Write for &Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if out.written < TRACE_BYTES_MAX {
            out.file.write_all(bytes)?;
            out.written += bytes.len() as u64;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_hold_number_and_time_and_nothing_of_the_machine() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.log");
        let sink = Arc::new(Sink::new(File::create(&path).unwrap()));
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_timer(Stamp::default())
            .with_writer(Arc::clone(&sink))
            .with_filter(targets());
        tracing::subscriber::with_default(Registry::default().with(layer), || {
            tracing::trace!(target: "routing", index = 3, "applied");
            tracing::trace!(target: "h2", "left out");
            tracing::debug!(target: "h2::frame", "taken");
        });
        sink.finish();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "1 0.000000 TRACE routing: applied index=3\n2 0.000000 DEBUG h2::frame: taken\n");
    }
}
