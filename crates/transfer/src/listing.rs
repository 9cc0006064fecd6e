use aws_sdk_s3::Client;
use causeway_types::ServiceError;

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) key: String,
    pub(crate) bytes: u64,
    /// Without its quotes.
    pub(crate) e_tag: String,
}

/// Lists every object whose key begins so (`ListObjectsV2`), page by page.
///
/// # Errors
/// When a page cannot be had: part of a listing is none.
pub(crate) async fn list(
    client: &Client,
    bucket: &str,
    prefix: &str,
    mut found: impl FnMut(Listed),
) -> Result<(), ServiceError> {
    let mut from = None;
    loop {
        let request = client.list_objects_v2().bucket(bucket).prefix(prefix).set_continuation_token(from);
        let page = request.send().await.map_err(|error| ServiceError::new("ListObjectsV2", &error))?;
        for object in page.contents.unwrap_or_default() {
            let Some(key) = object.key else { continue };
            let bytes = object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
            let e_tag = object.e_tag.unwrap_or_default().trim_matches('"').to_owned();
            found(Listed { key, bytes, e_tag });
        }
        from = page.next_continuation_token;
        if from.is_none() {
            return Ok(());
        }
    }
}
