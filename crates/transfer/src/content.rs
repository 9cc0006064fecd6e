//! What goes up: content in memory, or a range of a file that is read while it is sent.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest};
use sha2::Digest as _;
use tokio::sync::mpsc;

use crate::buffers::{BUFFER_BYTES, Buffers};
use crate::checksum::hex;
use crate::failure::FailureReason;
use crate::reader::SourceReader;

/// CRC-64/NVME, the checksum that S3 can verify over a whole object however many parts it came in.
pub(crate) const CHECKSUM: CrcAlgorithm = CrcAlgorithm::Crc64Nvme;

/// Below this a buffer of its own size is cheaper than one of the shared ones.
const SMALL: u64 = 64 << 10;

/// Pieces that wait to be sent while the next one is read.
const PIECES_AHEAD: usize = 2;

/// The memory that a range takes while it is sent by the thread that reads it: the piece being sent, and the next.
pub(crate) const INLINE_BYTES: u64 = 2 * BUFFER_BYTES as u64;
/// The memory that a range takes while another thread reads it: the pieces that wait besides.
pub(crate) const STREAM_BYTES: u64 = PIECES_AHEAD as u64 * BUFFER_BYTES as u64 + INLINE_BYTES;

/// The content of an object or part. It can be sent again when a request must be retried.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Memory(Loaded),
    Range(Range),
}

/// Content in memory with its checksum.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) pieces: Vec<Bytes>,
    /// CRC-64/NVME.
    pub(crate) checksum: u64,
}

/// A range of a file.
#[derive(Debug, Clone)]
pub(crate) struct Range {
    pub(crate) file: SourceReader,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    /// Whether it is all of the file, which then must not have changed when its last byte has been read.
    pub(crate) is_whole: bool,
}

/// What became of reading a range: its checksum, once all has been read, or why it could not be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading(Arc<Mutex<Option<Result<u64, FailureReason>>>>);

/// A range with what frames it, piece by piece.
pub(crate) struct Pieces {
    range: Range,
    framing: Framing,
    buffers: Arc<Buffers>,
    reading: Reading,
    digest: Digest,
    done: u64,
    next: Next,
}

/// What of a range comes next.
#[derive(Debug, Clone, Copy)]
enum Next {
    Head,
    Content,
    Tail,
    Nothing,
}

/// What stands before and behind the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    None,
    /// One chunk of `aws-chunked` with the checksum in its trailer (S3 API, "Signature calculations:
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`").
    Trailer,
}

/// The header, or trailer, that carries the checksum.
pub(crate) const CHECKSUM_HEADER: &str = "x-amz-checksum-crc64nvme";

impl Content {
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Memory(loaded) => loaded.pieces.iter().map(|piece| piece.len() as u64).sum(),
            Self::Range(range) => range.bytes,
        }
    }
}

impl Loaded {
    /// Reads a whole file that is small enough to be kept.
    pub(crate) fn read(file: &SourceReader, buffers: &Arc<Buffers>) -> Result<Self, FailureReason> {
        let bytes = file.bytes();
        let mut digest = Digest::new(CHECKSUM);
        let mut pieces =
            Vec::with_capacity(usize::try_from(bytes.div_ceil(BUFFER_BYTES as u64)).unwrap_or(1));
        let mut offset = 0;
        while offset < bytes {
            let piece = read_piece(file, offset, bytes - offset, bytes, buffers)?;
            digest.update(&piece);
            offset += piece.len() as u64;
            pieces.push(piece);
        }
        file.check_unchanged()?;
        Ok(Self { pieces, checksum: digest.finalize() })
    }

    /// For connections that do not protect what goes over them.
    pub(crate) fn sha256(&self) -> String {
        let mut hash = sha2::Sha256::new();
        self.pieces.iter().for_each(|piece| hash.update(piece));
        hex(&hash.finalize())
    }
}

fn read_piece(
    file: &SourceReader,
    offset: u64,
    left: u64,
    whole: u64,
    buffers: &Arc<Buffers>,
) -> Result<Bytes, FailureReason> {
    let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(BUFFER_BYTES);
    if whole <= SMALL {
        let mut piece = vec![0; wanted];
        file.read(&mut piece, offset)?;
        return Ok(piece.into());
    }
    let mut buffer = buffers.take();
    file.read(&mut buffer.space()[..wanted], offset)?;
    Ok(buffer.filled(wanted))
}

impl Range {
    /// To be read piece by piece. Each waits for a disk.
    pub(crate) fn pieces(&self, framing: Framing, buffers: &Arc<Buffers>) -> Pieces {
        Pieces {
            range: self.clone(),
            framing,
            buffers: Arc::clone(buffers),
            reading: Reading::default(),
            digest: Digest::new(CHECKSUM),
            done: 0,
            next: if framing == Framing::Trailer { Next::Head } else { Next::Content },
        }
    }

    /// Begins to read it on a thread of its own.
    pub(crate) fn stream(
        &self,
        framing: Framing,
        buffers: &Arc<Buffers>,
    ) -> (mpsc::Receiver<io::Result<Bytes>>, Reading) {
        let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
        let pieces = self.pieces(framing, buffers);
        let reading = pieces.reading();
        tokio::task::spawn_blocking(move || {
            for piece in pieces {
                // Nobody listens when the request has ended before.
                if sender.blocking_send(piece).is_err() {
                    return;
                }
            }
        });
        (receiver, reading)
    }

    /// Reads it for its hash and checksum alone.
    pub(crate) fn digest(&self, buffers: &Arc<Buffers>) -> Result<(String, u64), FailureReason> {
        let (mut hash, mut digest) = (sha2::Sha256::new(), Digest::new(CHECKSUM));
        let mut done = 0;
        while done < self.bytes {
            let left = self.bytes - done;
            let piece = read_piece(&self.file, self.offset + done, left, self.bytes, buffers)?;
            hash.update(&piece);
            digest.update(&piece);
            done += piece.len() as u64;
        }
        Ok((hex(&hash.finalize()), digest.finalize()))
    }
}

impl Pieces {
    /// What becomes of it, to be looked at from elsewhere.
    pub(crate) fn reading(&self) -> Reading {
        self.reading.clone()
    }

    fn read(&mut self) -> Result<Bytes, FailureReason> {
        let Range { file, offset, bytes, is_whole } = &self.range;
        let piece = read_piece(file, offset + self.done, bytes - self.done, *bytes, &self.buffers)?;
        self.digest.update(&piece);
        self.done += piece.len() as u64;
        if self.done == *bytes {
            if *is_whole {
                file.check_unchanged()?;
            }
            // Before the last piece is sent, so that whoever has sent everything finds it told.
            self.reading.tell(Ok(self.digest.finalize()));
            self.next = if self.framing == Framing::Trailer { Next::Tail } else { Next::Nothing };
        }
        Ok(piece)
    }
}

impl Iterator for Pieces {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next {
            Next::Head => {
                self.next = Next::Content;
                Some(Ok(head(self.range.bytes).into()))
            }
            Next::Content => Some(self.read().map_err(|reason| {
                self.next = Next::Nothing;
                let error = io::Error::other(reason.to_string());
                self.reading.tell(Err(reason));
                error
            })),
            Next::Tail => {
                self.next = Next::Nothing;
                Some(Ok(tail(self.digest.finalize()).into()))
            }
            Next::Nothing => None,
        }
    }
}

impl Reading {
    fn tell(&self, result: Result<u64, FailureReason>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }

    /// The checksum, or why there is none; `None` while reading goes on.
    pub(crate) fn result(&self) -> Option<Result<u64, FailureReason>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Framing {
    /// How many bytes content of this size takes.
    pub(crate) fn bytes(self, content: u64) -> u64 {
        match self {
            Self::None => content,
            Self::Trailer => content + (head(content).len() + tail(0).len()) as u64,
        }
    }
}

fn head(bytes: u64) -> String {
    format!("{bytes:x}\r\n")
}

fn tail(checksum: u64) -> String {
    format!("\r\n0\r\n{CHECKSUM_HEADER}:{}\r\n\r\n", encode(checksum))
}

/// S3 takes checksums in base64, the most significant byte first.
pub(crate) fn encode(checksum: u64) -> String {
    BASE64.encode(checksum.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> (tempfile::NamedTempFile, SourceReader) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let reader = SourceReader::open(file.path()).unwrap();
        (file, reader)
    }

    async fn collect(range: &Range, framing: Framing) -> (Vec<u8>, Option<Result<u64, FailureReason>>) {
        let (mut pieces, reading) = range.stream(framing, &Arc::default());
        let mut all = Vec::new();
        while let Some(Ok(piece)) = pieces.recv().await {
            all.extend_from_slice(&piece);
        }
        (all, reading.result())
    }

    #[tokio::test]
    async fn a_range_is_framed_as_its_length_says() {
        let content: Vec<u8> = (0..700_000_u32).map(|index| index.to_le_bytes()[1]).collect();
        let (_kept, file) = file(&content);
        let range = Range { file, offset: 5, bytes: 600_000, is_whole: false };
        let expected = crc_fast::checksum(CHECKSUM, &content[5..600_005]);
        let (plain, reading) = collect(&range, Framing::None).await;
        assert!(plain == content[5..600_005]);
        assert_eq!(reading.unwrap().unwrap(), expected);
        let (framed, _) = collect(&range, Framing::Trailer).await;
        assert_eq!(framed.len() as u64, Framing::Trailer.bytes(600_000));
        assert!(framed.starts_with(b"927c0\r\n"));
        let tail = format!("\r\n0\r\nx-amz-checksum-crc64nvme:{}\r\n\r\n", encode(expected));
        assert!(framed.ends_with(tail.as_bytes()));
        assert!(framed[7..600_007] == content[5..600_005]);
        let (hash, checksum) = range.digest(&Arc::default()).unwrap();
        assert_eq!((hash.len(), checksum), (64, expected));
    }

    #[tokio::test]
    async fn a_file_that_changes_before_its_last_byte_was_read_breaks_the_request() {
        let (kept, file) = file(&[7; 1000]);
        std::fs::write(kept.path(), [7; 1001]).unwrap();
        let range = Range { file, offset: 0, bytes: 1000, is_whole: true };
        let (mut pieces, reading) = range.stream(Framing::None, &Arc::default());
        assert!(pieces.recv().await.unwrap().is_err());
        assert!(matches!(reading.result(), Some(Err(FailureReason::Changed))));
    }

    #[test]
    fn content_in_memory_has_the_checksum_of_all_its_pieces() {
        let content: Vec<u8> = (0..300_000_u32).map(|index| index.to_le_bytes()[0]).collect();
        let (_kept, file) = file(&content);
        let loaded = Loaded::read(&file, &Arc::default()).unwrap();
        assert_eq!(loaded.pieces.len(), 3);
        assert_eq!(loaded.checksum, crc_fast::checksum(CHECKSUM, &content));
        assert_eq!(Content::Memory(loaded).bytes(), 300_000);
    }
}
