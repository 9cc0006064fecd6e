use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::job::{Job, Stop, joined};
use super::plan::PlannedDownload;
use super::target::Target;
use super::writer::{BATCH_BYTES, Digested, Digesting, STREAM_BYTES, Writer};
use crate::changed::{is_md5, is_same_file, md5};
use crate::checksum::{Known, combine};
use crate::failure::FailureReason;
use crate::listing::Listed;
use crate::reader::{SourceReader, blocking, on_own_thread};
use crate::wire::{Call, Fault, Reply};

/// A range has the size of so many parts of an upload: what breaks goes on where it broke.
const PARTS_A_RANGE: u64 = 2;
/// Ranges of one object that are prepared at the same time: more wait for memory or their turn anyway.
const RANGES_AT_ONCE: usize = 16;

/// What became of one object.
pub(super) struct ObjectOutcome {
    pub(super) index: usize,
    pub(super) result: Result<Done, Stop>,
    pub(super) took: Duration,
}

pub(super) enum Done {
    /// It is a file; whether its content could be verified.
    Downloaded {
        verified: bool,
    },
    Unchanged,
}

/// A piece of an object, or all of it.
struct Piece {
    key: Arc<str>,
    e_tag: Box<str>,
    first: u64,
    bytes: u64,
    is_whole: bool,
}

pub(super) async fn download_object(job: Arc<Job>, index: usize) -> ObjectOutcome {
    let began = Instant::now();
    let result = fetch(&job, index).await;
    ObjectOutcome { index, result, took: began.elapsed() }
}

async fn fetch(job: &Arc<Job>, index: usize) -> Result<Done, Stop> {
    let object = &job.plan.objects[index];
    let path = job.plan.path_of(&object.key);
    if job.plan.options.only_changed {
        if job.unless_stopped(Box::pin(is_unchanged(job, object, &path))).await?? {
            return Ok(Done::Unchanged);
        }
        if !job.plan.options.overwrite && path.symlink_metadata().is_ok() {
            return Err(FailureReason::unwritable(&std::io::ErrorKind::AlreadyExists.into()).into());
        }
    }
    let root = Arc::clone(&job.root);
    let target = Arc::new(blocking(move || root.begin(path)).await?);
    let verified = if object.bytes <= BATCH_BYTES as u64 {
        let _memory = job.unless_stopped(job.budget.reserve(object.bytes)).await?;
        fetch_whole(job, object, &target).await?
    } else if object.bytes > job.plan.options.limits.multipart_threshold {
        Box::pin(fetch_ranges(job, object, &target)).await?
    } else {
        let memory = job.unless_stopped(job.budget.reserve(STREAM_BYTES)).await?;
        let (job, target) = (Arc::clone(job), Arc::clone(&target));
        let stop = job.stop.clone();
        let fetch = async move { fetch_whole(&job, &job.plan.objects[index], &target).await };
        let verified = on_own_thread(&stop, fetch).await.ok_or(Stop::Cancelled)??;
        drop(memory);
        verified
    };
    // Every writer has ended, so nobody else holds it.
    let target = Arc::into_inner(target).ok_or(FailureReason::Unconfirmed)?;
    blocking(move || target.keep()).await?;
    Ok(Done::Downloaded { verified })
}

async fn is_unchanged(
    job: &Job,
    object: &PlannedDownload,
    path: &std::path::Path,
) -> Result<bool, FailureReason> {
    let (path, bytes) = (path.to_owned(), object.bytes);
    let file = blocking(move || SourceReader::open(&path).ok().filter(|file| file.bytes() == bytes)).await;
    let Some(file) = file else { return Ok(false) };
    let listed = Listed { key: object.key.to_string(), bytes, e_tag: object.e_tag.to_string() };
    is_same_file(&job.store, &object.key, &file, &listed).await
}

async fn fetch_whole(job: &Job, object: &PlannedDownload, target: &Arc<Target>) -> Result<bool, Stop> {
    let piece = Piece {
        key: Arc::clone(&object.key),
        e_tag: object.e_tag.clone(),
        first: 0,
        bytes: object.bytes,
        is_whole: true,
    };
    let mut expected = None;
    let digested = job.unless_stopped(pull(job, &piece, target, None, &mut expected)).await??;
    job.received(object.bytes);
    match expected {
        None => Ok(false),
        Some(expected) if expected.0 == digested => Ok(true),
        Some((_, name)) => Err(FailureReason::WrongChecksum(name).into()),
    }
}

async fn fetch_ranges(job: &Arc<Job>, object: &PlannedDownload, target: &Arc<Target>) -> Result<bool, Stop> {
    let (known, is_md5) = job.unless_stopped(known_checksum(job, object)).await??;
    let (whole, bytes) = (Arc::clone(target), object.bytes);
    blocking(move || whole.set_bytes(bytes)).await?;
    let digesting = known.map_or(Digesting::Nothing, |known| Digesting::Crc(known.algorithm));
    let size = (job.plan.options.limits.part_bytes * PARTS_A_RANGE).max(1);
    let mut waiting = (0..bytes.div_ceil(size)).map(|index| index * size);
    let (mut tasks, mut done) = (JoinSet::new(), Vec::new());
    let stop = job.stop.child_token();
    loop {
        while tasks.len() < RANGES_AT_ONCE
            && let Some(first) = waiting.next()
        {
            let piece = Piece {
                key: Arc::clone(&object.key),
                e_tag: object.e_tag.clone(),
                first,
                bytes: size.min(bytes - first),
                is_whole: false,
            };
            tasks.spawn(fetch_range(Arc::clone(job), piece, Arc::clone(target), digesting, stop.clone()));
        }
        match tasks.join_next().await.map(joined) {
            None => break,
            Some(Ok(range)) => done.push(range),
            Some(Err(reason)) => {
                // The file beside must have no writer left when it is removed.
                stop.cancel();
                while tasks.join_next().await.is_some() {}
                return Err(reason);
            }
        }
    }
    let Some(known) = known else {
        return if is_md5 { check_md5(job, object, target).await } else { Ok(false) };
    };
    done.sort_unstable();
    let value = combine(known.algorithm, done.into_iter().map(|(_, checksum, bytes)| (checksum, bytes)));
    if value == known.value { Ok(true) } else { Err(FailureReason::WrongChecksum(known.name()).into()) }
}

/// An MD5 cannot be put together from those of the ranges, so the file is read once more before it appears.
async fn check_md5(job: &Job, object: &PlannedDownload, target: &Arc<Target>) -> Result<bool, Stop> {
    let written = Arc::clone(target);
    let digest = blocking(move || md5(&SourceReader::open(written.beside())?));
    if job.unless_stopped(digest).await?? == object.e_tag.to_ascii_lowercase() {
        Ok(true)
    } else {
        Err(FailureReason::WrongChecksum("MD5").into())
    }
}

/// First byte, checksum and size of a range.
async fn fetch_range(
    job: Arc<Job>,
    piece: Piece,
    target: Arc<Target>,
    digesting: Digesting,
    stop: CancellationToken,
) -> Result<(u64, u64, u64), Stop> {
    let memory = job.budget.reserve(STREAM_BYTES);
    let _memory = stop.run_until_cancelled(memory).await.ok_or(Stop::Cancelled)?;
    let (first, bytes, puller) = (piece.first, piece.bytes, Arc::clone(&job));
    let pull = async move { pull(&puller, &piece, &target, Some(digesting), &mut None).await };
    let digested = on_own_thread(&stop, pull).await.ok_or(Stop::Cancelled)??;
    job.received(bytes);
    let checksum = if let Digested::Crc(checksum) = digested { checksum } else { 0 };
    Ok((first, checksum, bytes))
}

/// The checksum that S3 has of an object, and whether without one its entity tag is its MD5.
async fn known_checksum(job: &Job, object: &PlannedDownload) -> Result<(Option<Known>, bool), FailureReason> {
    let headers = headers(job, &object.e_tag, None);
    let (operation, method, key) = ("HeadObject", Method::HEAD, object.key.as_ref());
    let call = Call { operation, method, key, query: "", headers, content: None };
    let (head, _) = job.store.wire().call(&call).await.map_err(changed)?;
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    Ok((Known::of(&head.headers), is_md5_of_content(header, &object.e_tag)))
}

/// What should come out, and what the check is called.
type Expected = (Digested, &'static str);

/// Reads a piece into its file. Where the connection breaks, it goes on from there.
async fn pull(
    job: &Job,
    piece: &Piece,
    target: &Arc<Target>,
    digesting: Option<Digesting>,
    expected: &mut Option<Expected>,
) -> Result<Digested, FailureReason> {
    let wire = job.store.wire();
    let (mut attempts, mut done, mut writer) = (wire.attempts(), 0, None);
    loop {
        let before = done;
        let slot = wire.pace.slot().await;
        let part = Part { job, piece, target, digesting };
        match part.read(&mut done, &mut writer, expected).await {
            Ok(()) => {
                slot.succeeded(piece.bytes);
                break;
            }
            Err(fault) => {
                if done > before {
                    attempts = wire.attempts();
                }
                attempts.after(fault, slot).await.map_err(changed)?;
            }
        }
    }
    match writer {
        Some(writer) => writer.finish().await,
        None => Err(FailureReason::Unconfirmed),
    }
}

/// One attempt at a piece.
struct Part<'a> {
    job: &'a Job,
    piece: &'a Piece,
    target: &'a Arc<Target>,
    digesting: Option<Digesting>,
}

impl Part<'_> {
    async fn read(
        &self,
        done: &mut u64,
        writer: &mut Option<Writer>,
        expected: &mut Option<Expected>,
    ) -> Result<(), Fault> {
        let mut reply = self.ask(*done).await?;
        let writer = match writer {
            Some(writer) => writer,
            None => {
                let digesting = match self.digesting {
                    Some(digesting) => digesting,
                    None => {
                        let (digesting, known) = expectation(&reply, &self.piece.e_tag);
                        *expected = known;
                        digesting
                    }
                };
                writer.insert(Writer::new(Arc::clone(self.target), self.piece.first, digesting))
            }
        };
        while let Some(bytes) = reply.piece().await? {
            *done += bytes.len() as u64;
            if *done > self.piece.bytes {
                return Err(Fault::never(FailureReason::ObjectChanged));
            }
            writer.take(bytes).map_err(Fault::never)?;
        }
        if *done == self.piece.bytes { Ok(()) } else { Err(Fault::never(FailureReason::ObjectChanged)) }
    }

    async fn ask(&self, done: u64) -> Result<Reply, Fault> {
        let (from, to) = (self.piece.first + done, self.piece.first + self.piece.bytes);
        let is_part = !self.piece.is_whole || done > 0;
        let range = is_part.then(|| format!("bytes={from}-{}", to.saturating_sub(1)));
        let headers = headers(self.job, &self.piece.e_tag, range.as_deref());
        let (operation, method, key) = ("GetObject", Method::GET, self.piece.key.as_ref());
        let call = Call { operation, method, key, query: "", headers, content: None };
        let reply = self.job.store.wire().attempt(&call).await?;
        if is_part && reply.head.status != StatusCode::PARTIAL_CONTENT {
            return Err(Fault::never(FailureReason::Unconfirmed));
        }
        Ok(reply)
    }
}

fn headers(job: &Job, e_tag: &str, range: Option<&str>) -> HeaderMap {
    let mut headers = job.store.key_headers();
    headers.insert("x-amz-checksum-mode", HeaderValue::from_static("ENABLED"));
    // What was listed is what is meant, however long it takes to get to it.
    if !e_tag.is_empty()
        && let Ok(e_tag) = HeaderValue::from_str(&format!("\"{e_tag}\""))
    {
        headers.insert(header::IF_MATCH, e_tag);
    }
    if let Some(range) = range.and_then(|range| HeaderValue::from_str(range).ok()) {
        headers.insert(header::RANGE, range);
    }
    headers
}

/// What S3 knows of the whole content: a checksum, or for old objects an entity tag that is its MD5 (not with
/// KMS or a customer's key).
fn expectation(reply: &Reply, e_tag: &str) -> (Digesting, Option<Expected>) {
    if let Some(known) = Known::of(&reply.head.headers) {
        return (Digesting::Crc(known.algorithm), Some((Digested::Crc(known.value), known.name())));
    }
    if !is_md5_of_content(|name| reply.header(name), e_tag) {
        return (Digesting::Nothing, None);
    }
    (Digesting::Md5, Some((Digested::Md5(e_tag.to_ascii_lowercase()), "MD5")))
}

/// Not with KMS or a customer's key (S3 API Reference, "Object", `ETag`).
fn is_md5_of_content<'a>(header: impl Fn(&str) -> Option<&'a str>, e_tag: &str) -> bool {
    let by_kms = header("x-amz-server-side-encryption").is_some_and(|kind| kind.starts_with("aws:"));
    let by_customer = header("x-amz-server-side-encryption-customer-algorithm").is_some();
    is_md5(e_tag) && !by_kms && !by_customer
}

fn changed(reason: FailureReason) -> FailureReason {
    match &reason {
        FailureReason::Service(error) if error.code() == Some("PreconditionFailed") => {
            FailureReason::ObjectChanged
        }
        _ => reason,
    }
}
