//! Connections that a fault can break.

use crate::world::Place;
use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil::net::TcpStream;

/// All connections that were dialled, by the places at their ends (smaller first).
#[derive(Default)]
pub(super) struct Connections(Mutex<ByPair>);

type ByPair = BTreeMap<(Place, Place), Vec<Weak<Cut>>>;

/// Whether a connection was broken, and who reads from it.
#[derive(Default)]
struct Cut(Mutex<(bool, Option<Waker>)>);

impl Cut {
    fn state(&self) -> MutexGuard<'_, (bool, Option<Waker>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> io::Result<()> {
        if self.state().0 { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

fn pair(a: Place, b: Place) -> (Place, Place) {
    (a.min(b), a.max(b))
}

impl Connections {
    /// A dialled connection from now on can be broken.
    pub(super) fn add(&self, from: Place, to: Place, stream: TcpStream) -> Connection {
        let cut = Arc::new(Cut::default());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_pair = all.entry(pair(from, to)).or_default();
        of_pair.retain(|cut| cut.strong_count() > 0);
        of_pair.push(Arc::downgrade(&cut));
        Connection { stream, cut }
    }

    /// Breaks all connections between two places.
    pub(super) fn cut(&self, a: Place, b: Place) {
        let broken = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.remove(&pair(a, b)).unwrap_or_default()
        };
        for cut in broken.iter().filter_map(Weak::upgrade) {
            let reader = {
                let mut state = cut.state();
                state.0 = true;
                state.1.take()
            };
            if let Some(reader) = reader {
                reader.wake();
            }
        }
    }
}

/// The dialling end of a connection.
pub(super) struct Connection {
    stream: TcpStream,
    cut: Arc<Cut>,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.cut.check()?;
        let polled = Pin::new(&mut self.stream).poll_read(cx, into);
        if polled.is_pending() {
            self.cut.state().1 = Some(cx.waker().clone());
        }
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.cut.check()?;
        Pin::new(&mut self.stream).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
