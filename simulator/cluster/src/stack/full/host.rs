//! The hosts: nodes and places of clients.

use super::connections::Connections;
use super::dial::TurmoilDial;
use super::reach::TurmoilReach;
use crate::machine::{Machine, PORT, boot};
use crate::run::Parts;
use crate::world::Place;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::transport::server::Connected;
use turmoil::Sim;
use turmoil::net::{TcpListener, TcpStream};

/// Adds a machine; its node starts at once.
pub(super) fn add_node(sim: &mut Sim<'_>, parts: &Parts, machine: &Machine, connections: &Arc<Connections>) {
    let (parts, machine, connections) = (parts.clone(), machine.clone(), Arc::clone(connections));
    let name = Place::Node(machine.node).to_string();
    sim.host(name, move || {
        let (parts, machine, connections) = (parts.clone(), machine.clone(), Arc::clone(&connections));
        async move {
            live(parts, machine, connections).await;
            Ok(())
        }
    });
}

/// Adds a place of clients.
pub(super) fn add_site(sim: &mut Sim<'_>, parts: &Parts, id: u8, connections: &Arc<Connections>) {
    let (parts, connections) = (parts.clone(), Arc::clone(connections));
    let place = Place::Site(id);
    sim.host(place.to_string(), move || {
        let reach = Arc::new(TurmoilReach { from: place, connections: Arc::clone(&connections) });
        let site = parts.site(id, reach);
        async move {
            site.run().await;
            Ok(())
        }
    });
}

/// A process from its start to its end, unless it is crashed.
async fn live(parts: Parts, machine: Machine, connections: Arc<Connections>) {
    // turmoil starts every host; a spare machine is switched on when its node has joined.
    if !machine.is_member() {
        return;
    }
    let dial = Arc::new(TurmoilDial { from: Place::Node(machine.node), connections });
    let life = machine.begin();
    let served = match boot(&parts, &machine, &life, dial).await {
        Ok(served) => served,
        Err(why) => return life.end(Some(why)),
    };
    let listener = match TcpListener::bind(("0.0.0.0", PORT)).await {
        Ok(listener) => listener,
        Err(error) => return life.end(Some(format!("cannot listen: {error}"))),
    };
    let incoming = futures::stream::unfold(listener, |listener| async move {
        let accepted = listener.accept().await.map(|(stream, _)| Accepted(stream));
        Some((accepted, listener))
    });
    let serving =
        node::server::serve_over(served.routes.clone(), incoming, served.stopping.clone().cancelled_owned());
    let why = served.run(serving).await;
    life.end(why);
}

/// The accepting end of a connection.
struct Accepted(TcpStream);

impl Connected for Accepted {
    type ConnectInfo = ();
    fn connect_info(&self) {}
}

impl AsyncRead for Accepted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl AsyncWrite for Accepted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
