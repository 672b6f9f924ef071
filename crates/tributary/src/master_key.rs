//! The master key: never in the database, made once, and never made anew over data that another one encrypted.

use crate::config::Config;
use crate::failure::Failure;
use secrecy::ExposeSecret;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use tributary_store::vault::Key;
use tributary_store::{Db, StoreError, Tx, Unit, workspaces};

/// A key, where it comes from, and whether it is new.
#[derive(Debug)]
pub(crate) struct Master {
    pub(crate) key: Key,
    pub(crate) origin: String,
    /// The file that was made just now.
    pub(crate) made: Option<PathBuf>,
}

/// Finds the key that fits the database. Where there is none and no data either, makes one if `may_make`.
pub(crate) async fn find(config: &Config, db: &Db, may_make: bool) -> Result<Master, Failure> {
    let first = db.read(FirstWorkspace).await?;
    let master = match given(config)? {
        Some(master) => master,
        None if first.is_some() => return Err(missing(config)),
        None if may_make => make(&file_of(config))?,
        None => return Err(Failure::problem("Nothing is set up yet. Run `tributary setup` first.")),
    };
    if let Some(workspace_id) = first {
        check(db, &master, workspace_id).await?;
    }
    Ok(master)
}

/// The file in which the key lies if it is not in the environment.
pub(crate) fn file_of(config: &Config) -> PathBuf {
    config.master_key_file.clone().unwrap_or_else(|| config.folder().join("master.key"))
}

/// The key from the environment or its file, if there is one.
fn given(config: &Config) -> Result<Option<Master>, Failure> {
    if config.master_key.is_some() && config.master_key_file.is_some() {
        return Err(Failure::usage(
            "TRIBUTARY_MASTER_KEY and TRIBUTARY_MASTER_KEY_FILE are both set. Set one.",
        ));
    }
    if let Some(text) = &config.master_key {
        let origin = "TRIBUTARY_MASTER_KEY".to_owned();
        let key =
            Key::from_hex(text.expose_secret()).map_err(|e| Failure::usage(format!("{origin}: {e}.")))?;
        return Ok(Some(Master { key, origin, made: None }));
    }
    let path = file_of(config);
    let origin = path.display().to_string();
    match std::fs::read_to_string(&path).map(zeroize_text) {
        Ok(text) => {
            let key =
                Key::from_hex(text.expose_secret()).map_err(|e| Failure::usage(format!("{origin}: {e}.")))?;
            Ok(Some(Master { key, origin, made: None }))
        }
        Err(e) if e.kind() == ErrorKind::NotFound && config.master_key_file.is_none() => Ok(None),
        Err(e) => Err(Failure::usage(format!("The master key cannot be read from {origin}: {e}."))),
    }
}

fn zeroize_text(text: String) -> secrecy::SecretString {
    secrecy::SecretString::from(text)
}

fn missing(config: &Config) -> Failure {
    Failure::usage(format!(
        "The database has data, but its master key is missing: {} is not there. Put the file back from your backup, \
         or set TRIBUTARY_MASTER_KEY. A new key could not open the secrets.",
        file_of(config).display()
    ))
}

fn make(path: &Path) -> Result<Master, Failure> {
    let cannot = |e: &dyn std::fmt::Display| {
        Failure::unavailable(format!("The master key cannot be written to {}: {e}.", path.display()))
    };
    let key = Key::random()?;
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|e| cannot(&e))?;
    let text = secrecy::SecretString::from(hex::encode(key.bytes()));
    writeln!(file, "{}", text.expose_secret()).and_then(|()| file.sync_all()).map_err(|e| cannot(&e))?;
    Ok(Master { key, origin: path.display().to_string(), made: Some(path.to_owned()) })
}

/// Makes a folder that only its owner may enter, unless it is there.
pub(crate) fn make_folder(folder: &Path) -> Result<(), Failure> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|e| Failure::unavailable(format!("The folder {} cannot be made: {e}.", folder.display())))
}

struct FirstWorkspace;

impl Unit for FirstWorkspace {
    type Out = Option<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
        Ok(workspaces::list_workspaces(tx).await?.into_iter().next().map(|(id, _, _)| id))
    }
}

struct Opens {
    key: Key,
    workspace_id: String,
}

impl Unit for Opens {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        workspaces::data_key(tx, &self.key, &self.workspace_id).await.map(drop)
    }
}

async fn check(db: &Db, master: &Master, workspace_id: String) -> Result<(), Failure> {
    match db.read(Opens { key: master.key.clone(), workspace_id }).await {
        Err(StoreError::Secret(_)) => Err(Failure::usage(format!(
            "The master key of {} is not the one that this database was encrypted with. Use the key of this database.",
            master.origin
        ))),
        other => Ok(other?),
    }
}

/// Can others than the owner read the file?
#[cfg(unix)]
pub(crate) fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

/// Can others than the owner read the file? Not known here.
#[cfg(not(unix))]
pub(crate) fn is_open_to_others(_: &Path) -> bool {
    false
}
