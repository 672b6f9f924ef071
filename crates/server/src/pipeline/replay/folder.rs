//! A folder for what is derived anew. It goes away with the replay; one that was killed leaves its folder to the next.

use std::fs::File;
use std::path::{Path, PathBuf};
use tributary_store::StoreError;

const NAME: &str = "tributary-replay-";
/// Locked by the replay as long as it runs, however it ends.
const LOCK: &str = "lock";

/// Its path, and the lock that says that somebody uses it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes one, and removes those whose replays were killed.
    pub(super) fn new() -> Result<Self, StoreError> {
        Self::within(&std::env::temp_dir())
    }

    fn within(parent: &Path) -> Result<Self, StoreError> {
        sweep(parent);
        let path = parent.join(format!("{NAME}{}", hex::encode(tributary_store::vault::random::<8>()?)));
        let made = std::fs::create_dir(&path).and_then(|()| File::create_new(path.join(LOCK)));
        let failed = |e: &dyn std::fmt::Display| StoreError::Unavailable(format!("{}: {e}", path.display()));
        let lock = made.map_err(|e| failed(&e))?;
        lock.try_lock().map_err(|e| failed(&e))?;
        Ok(Self { path, _lock: lock })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Removes the folders that nobody uses any more. What cannot be looked at is left to the system.
fn sweep(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(NAME)) {
        if let Ok(lock) = File::open(entry.path().join(LOCK))
            && lock.try_lock().is_ok()
        {
            remove(&entry.path());
        }
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_dir_all(path) {
        tracing::warn!(%error, folder = %path.display(), "the replay's folder could not be removed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_replay_left_goes_with_the_next_one_and_what_is_in_use_stays() {
        let parent = tempfile::tempdir().unwrap();
        let used = Folder::within(parent.path()).unwrap();
        // A process that is killed removes nothing, and its lock is gone.
        let left = parent.path().join(format!("{NAME}left"));
        std::fs::create_dir(&left).unwrap();
        std::fs::write(left.join(LOCK), "").unwrap();
        std::fs::write(left.join("replay.db"), "x").unwrap();
        let other = parent.path().join("something-else");
        std::fs::create_dir(&other).unwrap();
        let next = Folder::within(parent.path()).unwrap();
        assert!(used.path().exists() && next.path().exists() && other.exists());
        assert!(!left.exists());
        let path = next.path().to_owned();
        drop(next);
        assert!(!path.exists());
    }
}
