use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crc_fast::{CrcAlgorithm, Digest, checksum_combine};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;

use crate::aws_chunked::Unchunker;
use crate::content::Content;
use crate::latency;
use crate::objects::MadeUp;
use crate::state::{State, Stored};

/// The connection is cut without an answer.
#[derive(Debug)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("cut on purpose")
    }
}

impl std::error::Error for Cut {}

const PAGE: usize = 1000;
const CRC64: CrcAlgorithm = CrcAlgorithm::Crc64Nvme;
static UPLOADS: AtomicU64 = AtomicU64::new(0);

type Answer = Response<Content>;

/// What is asked for.
struct Asked {
    method: Method,
    key: String,
    query: String,
    headers: HeaderMap,
}

impl Asked {
    fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let value = pairs.into_iter().find(|(known, _)| *known == name)?.1;
        Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

pub(crate) async fn answer(state: &State, request: Request<Incoming>) -> Result<Answer, Cut> {
    let path = percent_decode_str(request.uri().path()).decode_utf8_lossy().into_owned();
    state.counts.begin();
    let answer = judged(state, request, &path).await;
    state.counts.end();
    answer
}

/// Path style: the bucket, then the key.
async fn judged(state: &State, request: Request<Incoming>, path: &str) -> Result<Answer, Cut> {
    let (head, body) = request.into_parts();
    let key = path.trim_start_matches('/').split_once('/').map_or("", |(_, key)| key).to_owned();
    let query = head.uri.query().unwrap_or_default().to_owned();
    let asked = Asked { method: head.method, key, query, headers: head.headers };
    let is_object = !asked.key.is_empty();
    if is_object && fastrand::f64() < state.reset / 2.0 {
        state.counts.cut();
        return Err(Cut);
    }
    if is_object && fastrand::f64() < state.slow_down {
        state.counts.slowed_down();
        let _ = read(state, &asked, body).await;
        latency(state.latency_ms).await;
        return Ok(error(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"));
    }
    let answer = carry_out(state, &asked, body).await;
    latency(state.latency_ms).await;
    // The worse half: it has been done, and nobody is told.
    if is_object && fastrand::f64() < state.reset / 2.0 {
        state.counts.cut();
        return Err(Cut);
    }
    Ok(answer)
}

async fn carry_out(state: &State, asked: &Asked, body: Incoming) -> Answer {
    let upload = asked.parameter("uploadId");
    match (&asked.method, asked.key.is_empty(), upload) {
        (&Method::PUT, false, upload) => match read(state, asked, body).await {
            None => error(StatusCode::BAD_REQUEST, "BadDigest"),
            Some(stored) => put(state, asked, upload, stored),
        },
        (&Method::POST, false, Some(id)) => {
            let _ = body.collect().await;
            complete(state, asked, &id)
        }
        (&Method::POST, false, None) => {
            let id = format!("upload-{}", UPLOADS.fetch_add(1, Ordering::Relaxed));
            state.uploads.lock().unwrap().insert(id.clone(), (asked.key.clone(), Default::default()));
            ok(format!(
                "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>{}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>",
                escape(&asked.key)
            ))
        }
        (&Method::DELETE, false, Some(id)) => {
            let known = state.uploads.lock().unwrap().remove(&id).is_some();
            if known { status(StatusCode::NO_CONTENT) } else { error(StatusCode::NOT_FOUND, "NoSuchUpload") }
        }
        (&Method::POST, true, _) => caller(body).await,
        (&Method::GET, true, _) if asked.query.contains("location") => ok("<LocationConstraint/>"),
        (&Method::GET, true, _) => list(state, asked),
        (&Method::GET | &Method::HEAD, false, _) => get(state, asked),
        _ => status(StatusCode::OK),
    }
}

/// Reads the content; `None` if it is not what its checksum says.
async fn read(state: &State, asked: &Asked, mut body: Incoming) -> Option<Stored> {
    let mut digest = Digest::new(CRC64);
    let mut bytes = 0;
    let chunked = asked.header("content-encoding").is_some_and(|encoding| encoding.contains("aws-chunked"));
    let mut unchunker = chunked.then(Unchunker::default);
    while let Some(frame) = body.frame().await {
        let Ok(Ok(piece)) = frame.map(http_body::Frame::into_data) else { return None };
        state.counts.received(piece.len() as u64);
        let mut take = |piece: &[u8]| {
            bytes += piece.len() as u64;
            if state.verify {
                digest.update(piece);
            }
        };
        match &mut unchunker {
            Some(unchunker) => unchunker.push(&piece, take),
            None => take(&piece),
        }
    }
    let trailers = unchunker.map(|unchunker| unchunker.trailers).unwrap_or_default();
    let trailer =
        trailers.iter().find(|(name, _)| name == "x-amz-checksum-crc64nvme").map(|(_, value)| value.as_str());
    let said = asked.header("x-amz-checksum-crc64nvme").or(trailer);
    let checksum = digest.finalize();
    if state.verify && said.is_some_and(|said| said != encode(checksum)) {
        state.counts.wrong_checksum();
        return None;
    }
    Some(Stored { bytes, checksum })
}

fn put(state: &State, asked: &Asked, upload: Option<String>, stored: Stored) -> Answer {
    match upload {
        Some(id) => {
            let number = asked.parameter("partNumber").and_then(|number| number.parse().ok()).unwrap_or(0);
            match state.uploads.lock().unwrap().get_mut(&id) {
                Some((_, parts)) => parts.insert(number, stored),
                None => return error(StatusCode::NOT_FOUND, "NoSuchUpload"),
            };
        }
        None => {
            state.objects.lock().unwrap().insert(asked.key.clone(), stored);
        }
    }
    let mut answer = status(StatusCode::OK);
    answer.headers_mut().insert("etag", "\"0\"".parse().unwrap());
    answer
}

fn complete(state: &State, asked: &Asked, id: &str) -> Answer {
    let Some((key, parts)) = state.uploads.lock().unwrap().remove(id) else {
        return error(StatusCode::NOT_FOUND, "NoSuchUpload");
    };
    let whole = parts.values().fold(Stored { bytes: 0, checksum: 0 }, |whole, part| Stored {
        bytes: whole.bytes + part.bytes,
        checksum: if whole.bytes == 0 {
            part.checksum
        } else {
            checksum_combine(CRC64, whole.checksum, part.checksum, part.bytes)
        },
    });
    let said = asked.header("x-amz-checksum-crc64nvme");
    if state.verify && said.is_some_and(|said| said != encode(whole.checksum)) {
        state.counts.wrong_checksum();
        return error(StatusCode::BAD_REQUEST, "BadDigest");
    }
    state.objects.lock().unwrap().insert(key, whole);
    ok("<CompleteMultipartUploadResult><ETag>\"0\"</ETag></CompleteMultipartUploadResult>")
}

fn get(state: &State, asked: &Asked) -> Answer {
    if let Some(object) = state.made_up.as_ref().filter(|object| object.has(&asked.key)) {
        return get_made_up(state, asked, object);
    }
    match state.objects.lock().unwrap().get(&asked.key) {
        None => error(StatusCode::NOT_FOUND, "NoSuchKey"),
        Some(stored) => {
            let mut answer = status(StatusCode::OK);
            let headers = answer.headers_mut();
            headers.insert("content-length", stored.bytes.into());
            headers.insert("etag", "\"0\"".parse().unwrap());
            headers.insert("x-amz-checksum-crc64nvme", encode(stored.checksum).parse().unwrap());
            answer
        }
    }
}

fn get_made_up(state: &State, asked: &Asked, object: &Arc<MadeUp>) -> Answer {
    let range = asked.header("range").and_then(|range| {
        let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse::<u64>().ok()?, last.parse::<u64>().unwrap_or(u64::MAX).min(object.bytes - 1)))
    });
    let (offset, end) = range.map_or((0, object.bytes), |(first, last)| (first, last + 1));
    let is_head = asked.method == Method::HEAD;
    let content =
        if is_head { Content::text("") } else { Content::MadeUp { object: Arc::clone(object), offset, end } };
    let mut answer = Response::new(content);
    if range.is_some() {
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    let headers = answer.headers_mut();
    if range.is_some() {
        let text = format!("bytes {offset}-{}/{}", end - 1, object.bytes);
        headers.insert("content-range", text.parse().unwrap());
    }
    headers.insert("content-length", (end - offset).into());
    headers.insert("accept-ranges", "bytes".parse().unwrap());
    headers.insert("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT".parse().unwrap());
    headers.insert("etag", "\"made-up\"".parse().unwrap());
    if range.is_none() && asked.header("x-amz-checksum-mode").is_some() {
        headers.insert("x-amz-checksum-crc64nvme", encode(object.checksum).parse().unwrap());
        headers.insert("x-amz-checksum-type", "FULL_OBJECT".parse().unwrap());
    }
    if !is_head {
        state.counts.sent(end - offset);
    }
    answer
}

fn list(state: &State, asked: &Asked) -> Answer {
    let prefix = asked.parameter("prefix").unwrap_or_default();
    let from = asked.parameter("continuation-token").unwrap_or_default();
    let mut keys: Vec<(String, u64)> = match &state.made_up {
        Some(object) => (0..object.count).map(|number| (object.key(number), object.bytes)).collect(),
        None => {
            let objects = state.objects.lock().unwrap();
            objects.iter().map(|(key, stored)| (key.clone(), stored.bytes)).collect()
        }
    };
    keys.retain(|(key, _)| key.starts_with(&prefix) && *key > from);
    let next = keys.get(PAGE - 1).filter(|_| keys.len() > PAGE).map(|(key, _)| key.clone());
    let entry = |(key, bytes): &(String, u64)| {
        format!(
            "<Contents><Key>{}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"made-up\"</ETag><Size>{bytes}</Size><StorageClass>STANDARD</StorageClass></Contents>",
            escape(key)
        )
    };
    let contents: String = keys.iter().take(PAGE).map(entry).collect();
    let truncated = next.is_some();
    let token = next
        .map(|next| format!("<NextContinuationToken>{}</NextContinuationToken>", escape(&next)))
        .unwrap_or_default();
    ok(format!(
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix>{}</Prefix><KeyCount>{}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>{truncated}</IsTruncated>{contents}{token}</ListBucketResult>",
        escape(&prefix),
        keys.len().min(PAGE)
    ))
}

/// STS `GetCallerIdentity`, which a step asks before its work; or `DeleteObjects`, which finds nothing to do.
async fn caller(body: Incoming) -> Answer {
    let text = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    if text.starts_with(b"Action=") || text.windows(7).any(|window| window == b"Action=") {
        return ok(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/bench</Arn><UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
        );
    }
    ok("<DeleteResult/>")
}

fn ok(text: impl Into<bytes::Bytes>) -> Answer {
    let mut answer = Response::new(Content::text(text));
    answer.headers_mut().insert("content-type", "application/xml".parse().unwrap());
    answer
}

fn status(status: StatusCode) -> Answer {
    let mut answer = Response::new(Content::text(""));
    *answer.status_mut() = status;
    answer
}

fn error(status: StatusCode, code: &str) -> Answer {
    let mut answer = ok(format!(
        "<Error><Code>{code}</Code><Message>{code} on purpose</Message><RequestId>1</RequestId></Error>"
    ));
    *answer.status_mut() = status;
    answer
}

fn encode(checksum: u64) -> String {
    BASE64.encode(checksum.to_be_bytes())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
