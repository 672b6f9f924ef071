//! Answers kept for `Idempotency-Key`.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use crate::config::MAX_IDEMPOTENT;
use crate::error::ApiError;

/// Longest key that Stripe takes.
const LONGEST: usize = 255;

/// What was answered to a key.
#[derive(Debug, Clone)]
struct Kept {
    request: String,
    status: u16,
    body: Value,
}

/// The answers, the oldest of which go first.
#[derive(Debug, Default)]
pub struct Stored {
    answers: BTreeMap<String, Kept>,
    order: VecDeque<String>,
}

impl Stored {
    /// The stored answer to a key, if the request is the same as before.
    ///
    /// # Errors
    /// 400 `idempotency_error` for another request under the same key, 400 for a key over 255 characters.
    pub fn replay(&self, key: &str, request: &str) -> Result<Option<(u16, Value)>, ApiError> {
        if key.chars().count() > LONGEST {
            return Err(ApiError::bad(format!("Idempotency keys may have at most {LONGEST} characters.")));
        }
        match self.answers.get(key) {
            Some(kept) if kept.request == request => Ok(Some((kept.status, kept.body.clone()))),
            Some(_) => Err(ApiError {
                status: 400,
                kind: "idempotency_error",
                code: None,
                message: format!(
                    "Keys for idempotent requests can only be used with the same parameters they were first used \
                     with. Try using a key other than '{key}' if you meant to execute a different request."
                ),
                param: None,
            }),
            None => Ok(None),
        }
    }

    /// Keeps an answer.
    pub fn keep(&mut self, key: String, request: String, status: u16, body: Value) {
        if self.order.len() >= MAX_IDEMPOTENT
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.answers.insert(key, Kept { request, status, body });
    }
}
