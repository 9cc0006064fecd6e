/// Closes this process to other processes of the same user: `/proc/<pid>/environ` and its memory, and core dumps.
///
/// The environment holds the job's token and the connection's secrets, and the user's own script runs beside it. Linux only
/// (`prctl(2)`, `PR_SET_DUMPABLE`); root can read everything all the same. Programs that this one starts are not affected.
pub(crate) fn close_process() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // It fails for no value that exists.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
