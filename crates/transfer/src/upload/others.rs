//! What the other slices of a job have put into the bucket.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use causeway_types::ServiceError;
use tokio_util::sync::CancellationToken;

use crate::key::base_name;
use crate::listing::list;
use crate::plan::UploadPlan;

/// How often is looked whether more has come.
const PAUSE: Duration = Duration::from_secs(5);

/// The files of other slices that are not in the bucket with the size that they have here. They may still be on
/// their way, so it is waited as long as more arrive.
///
/// # Errors
/// The bucket cannot be listed.
pub(super) async fn missing_of_others(
    client: &Client,
    plan: &UploadPlan,
    cancel: &CancellationToken,
) -> Result<Vec<String>, ServiceError> {
    let patience = plan.options.limits.others_patience;
    let (mut fewest, mut last_came) = (usize::MAX, Instant::now());
    loop {
        let missing = look(client, plan).await?;
        if missing.len() < fewest {
            (fewest, last_came) = (missing.len(), Instant::now());
        }
        let waited = last_came.elapsed();
        if missing.is_empty() || cancel.is_cancelled() || waited >= patience {
            return Ok(missing);
        }
        let pause = tokio::time::sleep(PAUSE.min(patience - waited));
        let _ = cancel.run_until_cancelled(pause).await;
    }
}

async fn look(client: &Client, plan: &UploadPlan) -> Result<Vec<String>, ServiceError> {
    let tail_of = |relative| if plan.keys.flatten { base_name(relative) } else { relative };
    let mut missing: HashMap<&str, u64> =
        plan.others.iter().map(|file| (tail_of(file.relative.as_ref()), file.bytes)).collect();
    let prefix = plan.options.target_folder.prefix();
    list(client, plan.bucket().as_str(), &prefix, |object| {
        let tail = object.key.strip_prefix(&prefix).unwrap_or_default();
        if missing.get(tail) == Some(&object.bytes) {
            missing.remove(tail);
        }
    })
    .await?;
    let mut keys: Vec<String> = missing.into_keys().map(|tail| format!("{prefix}{tail}")).collect();
    keys.sort();
    Ok(keys)
}
