//! The built task, as an agent installs it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use aws_lc_rs::digest;
use tempfile::TempDir;

/// The folder of the workspace's `Cargo.toml`.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace").to_owned()
}

/// The product's binary: `CAUSEWAY_BIN`, or the one beside the running test.
///
/// # Panics
/// When it is not built.
#[must_use]
pub fn binary() -> PathBuf {
    let path = std::env::var_os("CAUSEWAY_BIN").map_or_else(beside_this_program, PathBuf::from);
    assert!(
        path.is_file(),
        "there is no binary at {}: build it with `cargo build -p causeway`, or set CAUSEWAY_BIN",
        path.display()
    );
    path
}

/// Test programs lie in `<target>/debug/deps`, the demo in `<target>/debug`.
fn beside_this_program() -> PathBuf {
    let program = std::env::current_exe().expect("the path of this program");
    let folder = program.parent().expect("a folder");
    let folder =
        if folder.ends_with("deps") { folder.parent().expect("the profile's folder") } else { folder };
    folder.join("causeway")
}

/// A copy of `task/` with the binary in its place. The worlds of a process share it, as jobs share an agent's.
pub(super) fn task() -> Arc<TempDir> {
    static SHARED: Mutex<Weak<TempDir>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let copy = Arc::new(install().expect("a copy of the task"));
        *shared = Arc::downgrade(&copy);
        copy
    })
}

/// A copy of the built task that nobody else uses.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn own_task() -> TempDir {
    install().expect("a copy of the task")
}

fn install() -> std::io::Result<TempDir> {
    let binary = binary();
    let copy = TempDir::with_prefix("causeway-task-")?;
    for entry in fs::read_dir(workspace().join("task"))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
        }
    }
    let folder = copy.path().join("bin").join(platform());
    fs::create_dir_all(&folder)?;
    let program = folder.join("causeway");
    fs::copy(binary, &program)?;
    // The vsix and the agent's unzip lose the executable bit: the shim must set it.
    fs::set_permissions(&program, fs::Permissions::from_mode(0o644))?;
    fs::write(folder.join("SHA256SUMS"), checksum(&fs::read(program)?))?;
    Ok(copy)
}

/// What `scripts/build` writes beside a binary, and the shim checks before the first run.
fn checksum(binary: &[u8]) -> String {
    let sum = digest::digest(&digest::SHA256, binary);
    let hex: String = sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}  causeway\n")
}

/// Node's words for this machine.
fn platform() -> String {
    let system = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    format!("{system}-{architecture}")
}
