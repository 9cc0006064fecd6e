use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// The size of a buffer: small enough to stay in a processor's cache between reading and sending, large
/// enough that handing it over costs little.
pub(crate) const BUFFER_BYTES: usize = 128 << 10;

/// Buffers of [`BUFFER_BYTES`] that are used again: new memory costs more than what is done with it.
#[derive(Debug, Default)]
pub(crate) struct Buffers(Mutex<Vec<Vec<u8>>>);

/// A buffer, or the filled beginning of one, that goes back when the last reader lets go of it.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
    home: Arc<Buffers>,
}

impl Buffers {
    pub(crate) fn take(self: &Arc<Self>) -> Buffer {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let bytes = kept.unwrap_or_else(|| vec![0; BUFFER_BYTES]);
        Buffer { bytes, filled: 0, home: Arc::clone(self) }
    }
}

impl Buffer {
    /// All of it, to be written into.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// The first `filled` bytes.
    pub(crate) fn filled(mut self, filled: usize) -> Bytes {
        self.filled = filled.min(self.bytes.len());
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.home.0.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_the_last_reader_is_done() {
        let buffers = Arc::new(Buffers::default());
        let mut buffer = buffers.take();
        buffer.space()[..3].copy_from_slice(b"abc");
        let bytes = buffer.filled(3);
        let rest = bytes.slice(1..);
        drop(bytes);
        assert_eq!((rest.as_ref(), buffers.0.lock().unwrap().len()), (b"bc".as_slice(), 0));
        drop(rest);
        assert_eq!(buffers.0.lock().unwrap().len(), 1);
        drop(buffers.take());
        assert_eq!(buffers.0.lock().unwrap().len(), 1);
    }
}
