//! Whether an object already holds what a file holds: by size and checksum, never by time.

use http::Method;
use md5::{Digest as _, Md5};

use crate::buffers::BUFFER_BYTES;
use crate::checksum::{Checksum, Known, hex};
use crate::content::{CHECKSUM, Loaded};
use crate::failure::FailureReason;
use crate::listing::Listed;
use crate::reader::{SourceReader, blocking};
use crate::store::Store;
use crate::wire::Call;

/// Up to here the MD5 of a file is made before S3 is asked for a checksum of its own.
const QUICK_TO_READ: u64 = 16 << 20;

/// Content in memory; the sizes are known to be the same.
pub(crate) async fn is_same(
    store: &Store,
    key: &str,
    loaded: &Loaded,
    object: &Listed,
) -> Result<bool, FailureReason> {
    if is_md5(&object.e_tag) {
        let mut digest = Md5::new();
        loaded.pieces.iter().for_each(|piece| digest.update(piece));
        if hex(&digest.finalize()) == object.e_tag {
            return Ok(true);
        }
    }
    Ok(match checksum_of(store, key).await? {
        Some(known) if known.is(CHECKSUM) => known.value == loaded.checksum,
        Some(known) => {
            let mut checksum = Checksum::new(known.algorithm);
            loaded.pieces.iter().for_each(|piece| checksum.update(piece));
            checksum.value() == known.value
        }
        None => false,
    })
}

/// A file; the sizes are known to be the same.
pub(crate) async fn is_same_file(
    store: &Store,
    key: &str,
    file: &SourceReader,
    object: &Listed,
) -> Result<bool, FailureReason> {
    // Reading a file is quicker than asking, as long as it is not too large.
    if is_md5(&object.e_tag) && object.bytes <= QUICK_TO_READ {
        let (file, e_tag) = (file.clone(), object.e_tag.clone());
        if blocking(move || Ok::<_, FailureReason>(md5(&file)? == e_tag)).await? {
            return Ok(true);
        }
    }
    let (known, file, e_tag) = (checksum_of(store, key).await?, file.clone(), object.e_tag.clone());
    match known {
        Some(known) => blocking(move || Ok(checksum(&file, known.algorithm)? == known.value)).await,
        None if is_md5(&e_tag) => blocking(move || Ok(md5(&file)? == e_tag)).await,
        None => Ok(false),
    }
}

/// `HeadObject`, for the checksum of the whole object. One that cannot be looked at counts as another.
async fn checksum_of(store: &Store, key: &str) -> Result<Option<Known>, FailureReason> {
    let mut headers = store.key_headers();
    headers.insert("x-amz-checksum-mode", http::HeaderValue::from_static("ENABLED"));
    let call = Call { operation: "HeadObject", method: Method::HEAD, key, query: "", headers, content: None };
    match store.wire().call(&call).await {
        Ok((head, _)) => Ok(Known::of(&head.headers)),
        Err(FailureReason::Service(error)) if !error_concerns_all(&error) => Ok(None),
        Err(reason) => Err(reason),
    }
}

fn error_concerns_all(error: &causeway_types::ServiceError) -> bool {
    FailureReason::Service(error.clone()).concerns_all()
}

/// Whether an entity tag may be the content's MD5: of objects in parts it is something else.
pub(crate) fn is_md5(e_tag: &str) -> bool {
    e_tag.len() == 32 && e_tag.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn checksum(file: &SourceReader, algorithm: crc_fast::CrcAlgorithm) -> Result<u64, FailureReason> {
    let mut checksum = Checksum::new(algorithm);
    each_piece(file, |piece| checksum.update(piece))?;
    Ok(checksum.value())
}

pub(crate) fn md5(file: &SourceReader) -> Result<String, FailureReason> {
    let mut digest = Md5::new();
    each_piece(file, |piece| digest.update(piece))?;
    Ok(hex(&digest.finalize()))
}

fn each_piece(file: &SourceReader, mut use_piece: impl FnMut(&[u8])) -> Result<(), FailureReason> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut done = 0;
    while done < file.bytes() {
        let wanted = usize::try_from(file.bytes() - done).unwrap_or(usize::MAX).min(BUFFER_BYTES);
        file.read(&mut buffer[..wanted], done)?;
        use_piece(&buffer[..wanted]);
        done += wanted as u64;
    }
    Ok(())
}
