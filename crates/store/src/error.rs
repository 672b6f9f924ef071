//! What can go wrong in the store.

/// A failure of the store. Only [`StoreError::Conflict`] is the caller's fault.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A uniqueness or check rule of the database refused the write.
    #[error("refused by the database: {0}")]
    Conflict(String),
    /// The row is not there.
    #[error("not found: {0}")]
    NotFound(String),
    /// The database cannot be reached, is full, or is shutting down. Nothing was kept; try again.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A row holds what it must not hold.
    #[error("inconsistent row: {0}")]
    Inconsistent(String),
    /// The schema was made by a newer version of Tributary.
    #[error("the schema is newer than this binary (it is at version {found}, this binary knows {known})")]
    NewerSchema {
        /// Version in the database.
        found: i64,
        /// Newest version that this binary knows.
        known: i64,
    },
    /// A mistake in a statement or a driver.
    #[error("database error: {0}")]
    Driver(String),
    /// Transactions kept colliding; nothing was kept.
    #[error("too many collisions with other transactions; nothing was kept, try again")]
    Busy,
    /// A unit of work panicked; it was rolled back.
    #[error("a unit of work failed and was rolled back: {0}")]
    Panicked(String),
    /// A unit of work on SQLite waited for something outside the database.
    #[error("a unit of work waited for something outside the database")]
    AwaitedOutside,
    /// What the caller gave cannot be stored.
    #[error("{0}")]
    Invalid(String),
    /// A secret cannot be opened.
    #[error("a secret cannot be opened: {0}")]
    Secret(String),
}

/// An error with its causes: drivers keep to themselves why a connection or a migration failed.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_said = cause.to_string();
        if !said.contains(&cause_said) {
            said = format!("{said}: {cause_said}");
        }
        next = cause.source();
    }
    said
}

impl StoreError {
    /// Is it worth trying again later, with nothing changed?
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Busy)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(Code::ConstraintViolation) => Self::Conflict(error.to_string()),
            Some(
                Code::DiskFull
                | Code::SystemIoFailure
                | Code::CannotOpen
                | Code::DatabaseBusy
                | Code::DatabaseLocked
                | Code::ReadOnly
                | Code::OutOfMemory,
            ) => Self::Unavailable(error.to_string()),
            _ => Self::Driver(error.to_string()),
        }
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;
        let Some(db) = error.as_db_error() else {
            return Self::Unavailable(error.to_string());
        };
        let text = format!("{} ({})", db.message(), db.code().code());
        match db.code() {
            code if *code == SqlState::UNIQUE_VIOLATION
                || *code == SqlState::CHECK_VIOLATION
                || *code == SqlState::FOREIGN_KEY_VIOLATION
                || *code == SqlState::NOT_NULL_VIOLATION =>
            {
                Self::Conflict(text)
            }
            code if *code == SqlState::T_R_SERIALIZATION_FAILURE
                || *code == SqlState::T_R_DEADLOCK_DETECTED =>
            {
                Self::Busy
            }
            code if *code == SqlState::LOCK_NOT_AVAILABLE => {
                Self::Unavailable("another change of the same takes too long".to_owned())
            }
            // Class 53 (resources), 57 (operator), 58 (system), 08 (connection).
            code if ["53", "57", "58", "08"].iter().any(|class| code.code().starts_with(class)) => {
                Self::Unavailable(text)
            }
            _ => Self::Driver(text),
        }
    }
}
