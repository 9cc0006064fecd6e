use crate::journal::left_behind;
use crate::plan::UploadPlan;
use crate::store::Store;

/// Aborts the multipart uploads to this bucket that a process before this one noted and did not end. How many
/// there were.
pub(super) async fn abort_leftovers(store: &Store, plan: &UploadPlan, place: &str) -> usize {
    let Some(folder) = &plan.options.journal_folder else { return 0 };
    let mut count = 0;
    for mut left in left_behind(folder) {
        let here = |bucket: &str, at: &str| bucket == plan.bucket().as_str() && at == place;
        let entries: Vec<_> =
            left.entries.iter().filter(|entry| here(&entry.bucket, &entry.place)).cloned().collect();
        for entry in entries {
            // What cannot be aborted now stays noted for the next run.
            if store.abort(&entry.key, &entry.id).await.is_ok() {
                left.ended(&entry.id);
                count += 1;
            }
        }
        left.finish();
    }
    count
}
