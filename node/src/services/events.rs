//! `Events`: the ordered, gap-free record of each domain.

use super::call::{self, Shared, permit};
use super::limits::{PICTURES_MAX, WATCHES_MAX};
use super::{Answers, picture};
use crate::convert::{event, ids::id};
use crate::problem::Problem;
use ::routing::Sequence;
use futures::{StreamExt, TryStreamExt, stream};
use proto::v1;
use proto::v1::events_server::Events;
use tonic::{Code, Request, Response, Status};

/// The service.
#[derive(Clone)]
pub struct EventsService(pub Shared);

fn restored(known: u64, incarnation: u64) -> Problem {
    let message = format!(
        "RESTORED: the cluster was restored from a backup; events of incarnation {known} are of another record: \
         take a picture of the domain (Events/Picture), then watch from the event after it in incarnation {incarnation}"
    );
    Problem::new(Code::FailedPrecondition, "RESTORED", message).with("incarnation", incarnation)
}

impl EventsService {
    /// The cluster's incarnation, if it is the one that is known to the caller (0: none is).
    fn incarnation(&self, known: u64) -> Result<u64, Problem> {
        let incarnation = self.0.engine.incarnation();
        if known != 0 && known != incarnation {
            return Err(restored(known, incarnation));
        }
        Ok(incarnation)
    }
}

#[tonic::async_trait]
impl Events for EventsService {
    type WatchStream = Answers<v1::Event>;
    type PictureStream = Answers<v1::PictureItem>;

    async fn watch(&self, request: Request<v1::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let request = request.into_inner();
        let permit = permit(&self.0.watches, "watches", WATCHES_MAX)?;
        let domain = id("domain", &request.domain)?;
        let incarnation = self.incarnation(request.incarnation)?;
        let watch = match self.0.engine.watch(domain, Sequence(request.from)).await {
            Ok(watch) => watch,
            Err(error) => return Err(call::not_watched(&self.0.engine, domain, error).await.into()),
        };
        let last = request.until_now.then(|| watch.present());
        let nothing_to_read = last.is_some_and(|last| request.from == 0 || request.from > last.0);

        // The watch is pulled as the client reads; the permit lives as long as the stream.
        let batches = stream::try_unfold(
            (watch, permit, nothing_to_read),
            move |(mut watch, permit, over)| async move {
                if over {
                    return Ok(None);
                }
                let mut batch = watch.next().await.map_err(Problem::from)?;
                let over = last.is_some_and(|last| batch.last().is_some_and(|event| event.sequence >= last));
                if let Some(last) = last {
                    batch.retain(|event| event.sequence <= last);
                }
                Ok::<_, Status>(Some((batch, (watch, permit, over))))
            },
        );
        let written = move |one: std::sync::Arc<::routing::Event>| Ok(event::write(&one, incarnation));
        let events = batches.map_ok(move |batch| stream::iter(batch).map(written)).try_flatten();
        Ok(Response::new(Box::pin(events)))
    }

    async fn picture(
        &self,
        request: Request<v1::PictureRequest>,
    ) -> Result<Response<Self::PictureStream>, Status> {
        let request = request.into_inner();
        let permit = permit(&self.0.pictures, "pictures under way", PICTURES_MAX)?;
        let domain = id("domain", &request.domain)?;
        let incarnation = self.incarnation(request.incarnation)?;
        match self.0.engine.picture(domain, Sequence(request.not_before)) {
            Ok(taken) => {
                let stopping = self.0.stopping.clone();
                Ok(Response::new(picture::send(taken, incarnation, stopping, permit)))
            }
            Err(error) => Err(call::not_watched(&self.0.engine, domain, error).await.into()),
        }
    }
}
