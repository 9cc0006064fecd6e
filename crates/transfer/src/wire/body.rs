use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc;

use crate::content::Pieces;

/// What a request carries.
pub(super) enum Body {
    /// Pieces that lie in memory.
    Memory(VecDeque<Bytes>),
    /// Pieces that a thread reads from a file, so many bytes in all.
    Stream { pieces: mpsc::Receiver<io::Result<Bytes>>, left: u64 },
    /// Pieces that whoever sends them reads from a file, so many bytes in all.
    Inline { pieces: Box<Pieces>, left: u64 },
}

impl Body {
    pub(super) fn empty() -> Self {
        Self::Memory(VecDeque::new())
    }

    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Memory(pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
            Self::Stream { left, .. } | Self::Inline { left, .. } => *left,
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            Self::Memory(pieces) => Poll::Ready(pieces.pop_front().map(|piece| Ok(Frame::data(piece)))),
            Self::Stream { pieces, left } => pieces.poll_recv(context).map(|piece| frame(piece, left)),
            Self::Inline { pieces, left } => Poll::Ready(frame(pieces.next(), left)),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Memory(pieces) => pieces.is_empty(),
            Self::Stream { left, .. } | Self::Inline { left, .. } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes())
    }
}

fn frame(piece: Option<io::Result<Bytes>>, left: &mut u64) -> Option<io::Result<Frame<Bytes>>> {
    let piece = piece?;
    if let Ok(piece) = &piece {
        *left = left.saturating_sub(piece.len() as u64);
    }
    Some(piece.map(Frame::data))
}
