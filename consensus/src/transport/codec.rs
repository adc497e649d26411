//! Frames as gRPC messages, without a .proto file: only nodes of this build speak it.

use super::frame::Frame;
use bytes::{Buf, Bytes};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// Path of the one method.
pub const METHOD: &str = "/centralita.peer.v1.Peer/Link";
/// Name of the service.
pub const SERVICE: &str = "centralita.peer.v1.Peer";

/// Writes lists of frames, reads messages.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrameCodec;

impl Codec for FrameCodec {
    type Encode = Vec<Frame>;
    type Decode = Bytes;
    type Encoder = FrameCodec;
    type Decoder = FrameCodec;

    fn encoder(&mut self) -> FrameCodec {
        FrameCodec
    }

    fn decoder(&mut self) -> FrameCodec {
        FrameCodec
    }
}

impl Encoder for FrameCodec {
    type Item = Vec<Frame>;
    type Error = Status;

    fn encode(&mut self, frames: Vec<Frame>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.reserve(frames.iter().map(Frame::wire_bytes).sum());
        for frame in &frames {
            frame.write(out);
        }
        Ok(())
    }
}

impl Decoder for FrameCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let len = message.remaining();
        Ok(Some(message.copy_to_bytes(len)))
    }
}
