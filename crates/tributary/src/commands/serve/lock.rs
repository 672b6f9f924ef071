//! One server for one SQLite file: an advisory lock that goes with the process, however it ends.

use crate::failure::Failure;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Held as long as the server runs.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// The lock's file: the database's real name with `.serve` behind it, so that a link to the file locks the same.
fn path_of(database: &Path) -> PathBuf {
    let mut name = real(database).into_os_string();
    name.push(".serve");
    PathBuf::from(name)
}

fn real(database: &Path) -> PathBuf {
    if let Ok(whole) = database.canonicalize() {
        return whole;
    }
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty());
    match (folder.unwrap_or(Path::new(".")).canonicalize(), database.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => database.to_owned(),
    }
}

/// The process that serves a database now, if one does.
pub(crate) fn process_of(database: &Path) -> Option<String> {
    let mut file = File::open(path_of(database)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(pid_in(&mut file)),
        _ => None,
    }
}

impl Lock {
    /// Takes the lock, or names the process that has it.
    pub(super) fn take(database: &Path) -> Result<Self, Failure> {
        let path = path_of(database);
        let cannot = |e: &dyn std::fmt::Display| {
            Failure::unavailable(format!("The lock {} cannot be taken: {e}.", path.display()))
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(|e| cannot(&e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(&mut file, database)),
            Err(TryLockError::Error(e)) => return Err(cannot(&e)),
        }
        let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        written.and_then(|()| file.flush()).map_err(|e| cannot(&e))?;
        Ok(Self { _file: file })
    }
}

fn pid_in(file: &mut File) -> String {
    let mut text = String::new();
    match file.take(32).read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => "unknown".to_owned(),
    }
}

fn taken(file: &mut File, database: &Path) -> Failure {
    Failure::unavailable(format!(
        "{} is served by process {} already. One server works on one SQLite file; several need PostgreSQL.",
        database.display(),
        pid_in(file)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_is_first() {
        let folder = std::env::temp_dir().join(format!("tributary-lock-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let database = folder.join("t.db");
        let first = Lock::take(&database).unwrap();
        let failure = Lock::take(&database).unwrap_err();
        assert!(failure.message.contains(&format!("process {}", std::process::id())), "{}", failure.message);
        std::fs::write(&database, "").unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&database, folder.join("link.db")).unwrap();
            assert!(Lock::take(&folder.join("link.db")).is_err());
        }
        drop(first);
        Lock::take(&database).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
