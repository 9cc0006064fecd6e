use tokio_util::sync::CancellationToken;

use crate::journal::left_behind;
use crate::plan::UploadPlan;
use crate::store::Store;

/// Aborts the multipart uploads to this bucket that a process before this one noted and did not end. How many
/// there were.
pub(super) async fn abort_leftovers(
    store: &Store,
    plan: &UploadPlan,
    place: &str,
    cancel: &CancellationToken,
) -> usize {
    let mut count = 0;
    for mut left in left_behind(&plan.options.journal_folders) {
        let here = |bucket: &str, at: &str| bucket == plan.bucket().as_str() && at == place;
        let entries: Vec<_> =
            left.entries.iter().filter(|entry| here(&entry.bucket, &entry.place)).cloned().collect();
        for entry in entries {
            // What cannot be aborted now stays noted for the next run.
            if !cancel.is_cancelled() && store.abort(&entry.key, &entry.id).await.is_ok() {
                left.ended(&entry.id);
                count += 1;
            }
        }
        left.finish();
    }
    count
}
