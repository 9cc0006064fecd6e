use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    Stream { pieces: mpsc::Receiver<io::Result<Bytes>>, left: u64, taken: Taken },
    /// Pieces that whoever sends them reads from a file, so many bytes in all.
    Inline { pieces: Box<Pieces>, left: u64, taken: Taken },
}

/// How many pieces of a request's content have been taken off to be sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken(Option<Arc<AtomicUsize>>);

impl Taken {
    fn counted() -> Self {
        Self(Some(Arc::default()))
    }

    pub(super) fn count(&self) -> usize {
        self.0.as_ref().map_or(0, |count| count.load(Ordering::Relaxed))
    }

    pub(super) fn note(&self) {
        if let Some(count) = &self.0 {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Body {
    pub(super) fn empty() -> Self {
        Self::Memory(VecDeque::new())
    }

    pub(super) fn stream(pieces: mpsc::Receiver<io::Result<Bytes>>, left: u64) -> Self {
        Self::Stream { pieces, left, taken: Taken::counted() }
    }

    pub(super) fn inline(pieces: Box<Pieces>, left: u64) -> Self {
        Self::Inline { pieces, left, taken: Taken::counted() }
    }

    /// What lies in memory is so little that it is not counted.
    pub(super) fn taken(&self) -> Taken {
        match self {
            Self::Memory(_) => Taken::default(),
            Self::Stream { taken, .. } | Self::Inline { taken, .. } => taken.clone(),
        }
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
            Self::Stream { pieces, left, taken } => {
                pieces.poll_recv(context).map(|piece| frame(piece, left, taken))
            }
            Self::Inline { pieces, left, taken } => Poll::Ready(frame(pieces.next(), left, taken)),
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

fn frame(
    piece: Option<io::Result<Bytes>>,
    left: &mut u64,
    taken: &Taken,
) -> Option<io::Result<Frame<Bytes>>> {
    let piece = piece?;
    taken.note();
    if let Ok(piece) = &piece {
        *left = left.saturating_sub(piece.len() as u64);
    }
    Some(piece.map(Frame::data))
}
