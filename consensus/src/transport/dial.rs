//! How a connection to a peer is made.

use super::pipe::Pipe;
use futures::future::BoxFuture;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// An open connection.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Wire for T {}

/// Makes connections. Simulated networks and tests bring their own.
pub trait Dial: Send + Sync + 'static {
    /// Connects to `host:port`. The caller sets the deadline.
    fn dial(&self, address: String) -> BoxFuture<'static, io::Result<Box<dyn Wire>>>;

    /// Connects to `host:port` within the process, without gRPC. `None`, always or never: this
    /// dials real connections. The other end of the pipe belongs to whoever answers at the address:
    /// [`PeerService::accept_pipe`](crate::PeerService::accept_pipe). The caller sets the deadline.
    fn pipe(&self, address: String) -> Option<BoxFuture<'static, io::Result<Pipe>>> {
        let _ = address;
        None
    }
}

/// A shared [`Dial`].
pub type SharedDial = Arc<dyn Dial>;

/// TCP without Nagle's delay.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpDial;

impl Dial for TcpDial {
    fn dial(&self, address: String) -> BoxFuture<'static, io::Result<Box<dyn Wire>>> {
        Box::pin(async move {
            let stream = TcpStream::connect(&address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Wire>)
        })
    }
}
