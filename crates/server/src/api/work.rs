//! One API call's work in one transaction: a refusal undoes everything that the call wrote before it.

use super::error::ApiError;
use crate::state::App;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use tributary_store::{StoreError, Tx, Unit};

/// Owned input that can be run again.
pub(crate) trait Work: Send + Sync + 'static {
    /// What it answers.
    type Out: Send + 'static;
    /// Runs inside one transaction.
    fn go(&self, tx: &mut Tx<'_>) -> impl Future<Output = Result<Self::Out, ApiError>> + Send;
}

struct Guard<W> {
    work: Arc<W>,
    refused: Arc<Mutex<Option<ApiError>>>,
}

impl<W: Work> Unit for Guard<W> {
    type Out = W::Out;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<W::Out, StoreError> {
        match self.work.go(tx).await {
            Ok(out) => Ok(out),
            Err(ApiError::Store(error)) => Err(error),
            Err(refusal) => {
                *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
                Err(StoreError::Invalid("the call was refused".into()))
            }
        }
    }
}

fn outcome<T>(result: Result<T, StoreError>, refused: &Mutex<Option<ApiError>>) -> Result<T, ApiError> {
    match result {
        Err(StoreError::Invalid(text)) => {
            let refusal = refused.lock().unwrap_or_else(PoisonError::into_inner).take();
            Err(refusal.unwrap_or(ApiError::Store(StoreError::Invalid(text))))
        }
        other => other.map_err(ApiError::Store),
    }
}

/// Reads.
pub(crate) async fn read<W: Work>(app: &App, work: W) -> Result<W::Out, ApiError> {
    let refused = Arc::new(Mutex::new(None));
    let guard = Guard { work: Arc::new(work), refused: Arc::clone(&refused) };
    outcome(app.db.read(guard).await, &refused)
}

/// Writes, and wakes the pipeline. Where two calls race for one key, the second finds out by the database's
/// own rule; it is run once more and then sees what the first wrote.
pub(crate) async fn write<W: Work>(app: &App, work: W) -> Result<W::Out, ApiError> {
    let (work, refused) = (Arc::new(work), Arc::new(Mutex::new(None)));
    let guard = || Guard { work: Arc::clone(&work), refused: Arc::clone(&refused) };
    let mut result = app.db.write(guard()).await;
    if matches!(result, Err(StoreError::Conflict(_))) {
        result = app.db.write(guard()).await;
    }
    let out = outcome(result, &refused)?;
    app.wake.notify_one();
    Ok(out)
}
