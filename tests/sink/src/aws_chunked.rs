/// Takes `aws-chunked` content apart (S3 API, "Signature calculations"): sizes in hexadecimal digits, chunks, and
/// behind the last one trailers.
#[derive(Debug, Default)]
pub(crate) struct Unchunker {
    line: Vec<u8>,
    left: u64,
    in_trailers: bool,
    pub(crate) trailers: Vec<(String, String)>,
}

impl Unchunker {
    /// The next piece of the request, from which `content` gets what belongs to the object.
    pub(crate) fn push(&mut self, mut piece: &[u8], mut content: impl FnMut(&[u8])) {
        while !piece.is_empty() {
            if self.left > 0 {
                let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(piece.len());
                content(&piece[..count]);
                self.left -= count as u64;
                piece = &piece[count..];
                continue;
            }
            let end = piece.iter().position(|byte| *byte == b'\n').map_or(piece.len(), |at| at + 1);
            self.line.extend_from_slice(&piece[..end]);
            piece = &piece[end..];
            if self.line.ends_with(b"\n") {
                let line = String::from_utf8_lossy(&self.line).trim().to_owned();
                self.line.clear();
                self.line(&line);
            }
        }
    }

    fn line(&mut self, line: &str) {
        if line.is_empty() {
            return;
        }
        if self.in_trailers {
            if let Some((name, value)) = line.split_once(':') {
                self.trailers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            return;
        }
        let size = line.split(';').next().unwrap_or_default();
        self.left = u64::from_str_radix(size, 16).expect("a chunk's size");
        self.in_trailers = self.left == 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_and_trailers_are_taken_apart_wherever_they_are_cut() {
        let text = b"5;chunk-signature=x\r\nhello\r\n6\r\n\r\nworl\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n";
        for size in 1..text.len() {
            let (mut unchunker, mut all) = (Unchunker::default(), Vec::new());
            for piece in text.chunks(size) {
                unchunker.push(piece, |content| all.extend_from_slice(content));
            }
            assert_eq!(all, b"hello\r\nworl");
            assert_eq!(unchunker.trailers, [("x-amz-checksum-crc32".into(), "AAAA".into())]);
        }
    }
}
