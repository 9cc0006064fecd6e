use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc;

use crate::image::{Location, OpenLocation};

/// Bytes read at a time.
const PIECE: usize = 256 << 10;
/// Pieces read ahead.
const AHEAD: usize = 2;

/// A part of a blob, read off the async threads and never more than a few pieces ahead.
pub(super) struct BlobBody {
    pieces: mpsc::Receiver<Bytes>,
    left: u64,
    sent: Arc<AtomicU64>,
    problem: Problem,
}

/// Why the disk let the upload down, if it did.
#[derive(Debug, Clone, Default)]
pub(super) struct Problem(Arc<Mutex<Option<io::Error>>>);

impl Problem {
    pub(super) fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, error: io::Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

impl BlobBody {
    /// Begins to read the part of it. `sent` grows by what is handed over.
    pub(super) fn open(
        location: &Location,
        part: Range<u64>,
        sent: Arc<AtomicU64>,
    ) -> io::Result<(Self, Problem)> {
        let open = location.open()?;
        let (sender, pieces) = mpsc::channel(AHEAD);
        let problem = Problem::default();
        let told = problem.clone();
        let left = part.end.saturating_sub(part.start);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = read(&open, part, &sender) {
                told.set(error);
            }
        });
        Ok((Self { pieces, left, sent, problem: problem.clone() }, problem))
    }
}

fn read(open: &OpenLocation, part: Range<u64>, sender: &mpsc::Sender<Bytes>) -> io::Result<()> {
    let mut position = part.start;
    loop {
        let left = usize::try_from(part.end - position).unwrap_or(usize::MAX);
        let mut piece = vec![0; PIECE.min(left)];
        let count = open.read_at(position, &mut piece)?;
        piece.truncate(count);
        // Nobody takes it any more: the request has ended.
        if count == 0 || sender.blocking_send(piece.into()).is_err() {
            return Ok(());
        }
        position += count as u64;
    }
}

impl http_body::Body for BlobBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let piece = std::task::ready!(self.pieces.poll_recv(context));
        let Some(piece) = piece else {
            let unexpected = io::ErrorKind::UnexpectedEof;
            self.problem.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(unexpected.into());
            return Poll::Ready(Some(Err(unexpected.into())));
        };
        let count = piece.len() as u64;
        self.left = self.left.saturating_sub(count);
        self.sent.fetch_add(count, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
