//! Checking a key before a connection is made: whose it is, of which mode, and what it may not read.

use crate::client::{Account, ApiError, KeyKind, Mode, Probe, StripeClient, Tell, probe_permissions};

/// What was learnt of a key that works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// `acct_…`, if the key may read the account.
    pub account_id: Option<String>,
    /// The account's name, if known.
    pub display_name: Option<String>,
    /// Live or test, by the key and, where it could be read, by Stripe.
    pub livemode: bool,
    /// Remarks for the person who connects; nothing in them stops the connection.
    pub warnings: Vec<String>,
    /// A sentence for each permission that following sales needs and the key has not got.
    pub missing: Vec<String>,
    /// The whole checklist.
    pub probes: Vec<Probe>,
}

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The key says one mode, the account another.
    #[error("The key says {key} mode, but Stripe answers in {stripe} mode. Is the API base right?")]
    ModeMismatch {
        /// By the key's prefix.
        key: Mode,
        /// By the objects read.
        stripe: Mode,
    },
    /// The key is refused, or Stripe cannot be reached.
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// Checks a key with reading calls only.
///
/// A key that may not read the account is fine. Missing permissions are listed, not refused.
///
/// # Errors
/// A [`ConnectError`] if the key is refused, its mode contradicts Stripe's, or Stripe cannot be reached.
pub async fn validate_key(client: &StripeClient) -> Result<Validation, ConnectError> {
    validate_key_telling(client, &|_, _| {}).await
}

/// The same, telling how far the checklist has come.
///
/// # Errors
/// As [`validate_key`].
pub async fn validate_key_telling(client: &StripeClient, tell: Tell<'_>) -> Result<Validation, ConnectError> {
    let info = client.key_info();
    let mut warnings = Vec::new();
    let account = account(client, &mut warnings).await?;
    let from_balance = balance_mode(client).await?;
    let probes = probe_permissions(client, tell).await?;
    let observed = from_balance.or_else(|| probes.iter().find_map(|probe| probe.livemode));
    check_mode(info.mode, observed)?;
    // A platform's key is secret by nature, and asks for the connected account alone.
    if info.kind == KeyKind::Secret && client.acts_for().is_none() {
        warnings.push(
            "This is a secret key with full power over the account. A restricted key (rk_) with reading permissions is enough."
                .to_owned(),
        );
    }
    warnings.extend(probes.iter().filter(|probe| !probe.missing || !probe.needed).filter_map(remark));
    Ok(Validation {
        account_id: account.as_ref().map(|account| account.id.clone()),
        display_name: account.as_ref().and_then(Account::display_name).map(str::to_owned),
        livemode: info.mode.is_live(),
        missing: missing_permissions(&probes),
        warnings,
        probes,
    })
}

/// A sentence for each needed permission that is missing.
#[must_use]
pub fn missing_permissions(probes: &[Probe]) -> Vec<String> {
    let missing = probes.iter().filter(|probe| probe.needed && probe.missing);
    missing.map(|probe| format!("Give the key the permission {} {}.", probe.permission, probe.why)).collect()
}

/// A remark on a probe that failed, but stops nothing.
fn remark(probe: &Probe) -> Option<String> {
    let words = probe.ok.as_ref().err()?;
    Some(if probe.missing {
        format!("Without the permission {} Tributary cannot work {}.", probe.permission, probe.why)
    } else {
        format!("The permission {} could not be checked: {words}", probe.permission)
    })
}

/// The key's mode and the observed one must agree.
///
/// # Errors
/// [`ConnectError::ModeMismatch`] if they do not.
pub fn check_mode(key: Mode, observed_live: Option<bool>) -> Result<(), ConnectError> {
    match observed_live {
        Some(live) if live != key.is_live() => {
            let stripe = if live { Mode::Live } else { Mode::Test };
            Err(ConnectError::ModeMismatch { key, stripe })
        }
        _ => Ok(()),
    }
}

async fn account(client: &StripeClient, warnings: &mut Vec<String>) -> Result<Option<Account>, ApiError> {
    match client.account().await {
        Ok(account) => Ok(Some(account)),
        Err(error) if may_be_closed(&error) => {
            warnings.push(format!(
                "The key may not read the account, so a later key of another account cannot be told apart: {error}"
            ));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn balance_mode(client: &StripeClient) -> Result<Option<bool>, ApiError> {
    match client.balance().await {
        Ok(balance) => Ok(balance.livemode),
        Err(error) if may_be_closed(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Failures that tell of a narrow key or a small API, not of a wrong key.
const fn may_be_closed(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Forbidden { .. }
            | ApiError::NotFound { .. }
            | ApiError::NoSuchCall { .. }
            | ApiError::Invalid { .. }
            | ApiError::Unexpected { .. }
    )
}
