use http::{HeaderMap, HeaderName, HeaderValue, header};
use secrecy::{ExposeSecret as _, SecretString};

use crate::failure::FailureReason;
use crate::plan::PlannedObject;
use crate::settings::{Encryption, HeaderText, ObjectSettings, SseCustomerKey};

/// The headers of requests with content, those that all objects share put together once.
pub(crate) struct ObjectHeaders {
    settings: ObjectSettings,
    /// For a new object.
    object: HeaderMap,
    /// For what belongs to an object that is there or was begun: the customer's key.
    key: HeaderMap,
}

impl ObjectHeaders {
    pub(crate) fn new(settings: &ObjectSettings) -> Self {
        let key = key_headers(&settings.encryption);
        let mut object = key.clone();
        let mut put = |name: &str, value: &str| {
            // Every value was checked when it was read.
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
                object.insert(name, value);
            }
        };
        put("x-amz-storage-class", settings.storage_class.name());
        settings.acl.header().into_iter().for_each(|acl| put("x-amz-acl", acl));
        let encryption = &settings.encryption;
        encryption.header().into_iter().for_each(|name| put("x-amz-server-side-encryption", name));
        let kms_key = encryption.kms_key().map(HeaderText::as_str);
        kms_key.into_iter().for_each(|key| put("x-amz-server-side-encryption-aws-kms-key-id", key));
        settings.content_encoding.iter().for_each(|text| put("content-encoding", text.as_str()));
        settings.tags.header().iter().for_each(|tags| put("x-amz-tagging", tags));
        for (name, value) in settings.metadata.pairs() {
            put(&format!("x-amz-meta-{name}"), value);
        }
        Self { settings: settings.clone(), object, key }
    }

    pub(crate) fn settings(&self) -> &ObjectSettings {
        &self.settings
    }

    pub(crate) fn of_key(&self) -> HeaderMap {
        self.key.clone()
    }

    pub(crate) fn of_object(&self, object: &PlannedObject) -> Result<HeaderMap, FailureReason> {
        let value =
            |text: &str| HeaderValue::from_str(text).map_err(|_| FailureReason::NoHeader(text.to_owned()));
        let mut headers = self.object.clone();
        headers.insert(header::CONTENT_TYPE, value(&object.content_type)?);
        if let Some(cache_control) = &object.cache_control {
            headers.insert(header::CACHE_CONTROL, value(cache_control)?);
        }
        Ok(headers)
    }
}

/// The headers that let S3 use a key that it does not keep (S3 User Guide, "SSE-C").
pub(crate) fn key_headers(encryption: &Encryption) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some((key, md5)) = customer_key(encryption) else { return headers };
    if let (Ok(mut key), Ok(md5)) = (HeaderValue::from_str(key.expose_secret()), HeaderValue::from_str(&md5))
    {
        key.set_sensitive(true);
        let algorithm = HeaderValue::from_static(SseCustomerKey::ALGORITHM);
        headers.insert("x-amz-server-side-encryption-customer-algorithm", algorithm);
        headers.insert("x-amz-server-side-encryption-customer-key", key);
        headers.insert("x-amz-server-side-encryption-customer-key-md5", md5);
    }
    headers
}

/// The key as it must be sent, and its digest.
pub(crate) fn customer_key(encryption: &Encryption) -> Option<(SecretString, String)> {
    match encryption {
        Encryption::CustomerKey(key) => Some((key.base64(), key.md5())),
        _ => None,
    }
}
