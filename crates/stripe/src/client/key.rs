//! API keys: what a key says about itself, and which are refused.

use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// The kind of an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// `rk_…`: only the permissions it was given. The one to use.
    Restricted,
    /// `sk_…`: everything in the account.
    Secret,
    /// An access token that an account granted by OAuth.
    Token,
}

/// Live or test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Real money.
    Live,
    /// Test mode and sandboxes.
    Test,
}

impl Mode {
    /// Live?
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Live)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_live() { "live" } else { "test" })
    }
}

/// What a key says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyInfo {
    /// Restricted or secret.
    pub kind: KeyKind,
    /// Live or test.
    pub mode: Mode,
}

/// Why a text is not an API key that can be used. The text itself is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Nothing was given.
    #[error("The API key is empty. Paste a restricted key; it begins with rk_live_ or rk_test_.")]
    Empty,
    /// `pk_…`
    #[error(
        "This is a publishable key (pk_), which can read nothing. Make a restricted key in the Stripe dashboard; it begins with rk_live_ or rk_test_."
    )]
    Publishable,
    /// `whsec_…`
    #[error(
        "This is a webhook signing secret (whsec_), not an API key. The API key begins with rk_live_ or rk_test_."
    )]
    SigningSecret,
    /// `sk_org_…`
    #[error(
        "This is an organisation key (sk_org_), which reaches several accounts at once. Make a restricted key in the one account that sells; it begins with rk_live_ or rk_test_."
    )]
    Organisation,
    /// No mode in the key.
    #[error(
        "This key does not say whether it is live or test. Use a key that begins with rk_live_, rk_test_, sk_live_ or sk_test_."
    )]
    NoMode,
    /// Cut off, or with odd letters inside.
    #[error("This key is cut off or holds letters that no Stripe key has. Copy it again, without blanks.")]
    Malformed,
    /// Anything else.
    #[error(
        "This is not a Stripe API key. It begins with rk_live_ or rk_test_ (restricted, recommended), or with sk_live_ or sk_test_."
    )]
    Unknown,
}

/// An API key. Never printed.
#[derive(Clone)]
pub struct ApiKey {
    text: SecretString,
    info: KeyInfo,
}

impl ApiKey {
    /// Reads a key; blanks around it are taken off.
    ///
    /// # Errors
    /// A [`KeyError`] that says what was given instead and what to do.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let info = info_of(text)?;
        Ok(Self { text: SecretString::from(text), info })
    }

    /// An access token of OAuth, which says nothing about itself; its mode came with it.
    ///
    /// # Errors
    /// [`KeyError::Empty`] or [`KeyError::Malformed`] for a text that no header can carry.
    pub fn token(text: &str, mode: Mode) -> Result<Self, KeyError> {
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if text.len() > 2_048 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeyError::Malformed);
        }
        Ok(Self { text: SecretString::from(text), info: KeyInfo { kind: KeyKind::Token, mode } })
    }

    /// What the key says about itself.
    #[must_use]
    pub const fn info(&self) -> KeyInfo {
        self.info
    }

    /// The text, for the Authorization header and for encrypted storage only.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({:?}, {})", self.info.kind, self.info.mode)
    }
}

fn info_of(text: &str) -> Result<KeyInfo, KeyError> {
    if text.is_empty() {
        return Err(KeyError::Empty);
    }
    if text.starts_with("pk_") {
        return Err(KeyError::Publishable);
    }
    if text.starts_with("whsec_") {
        return Err(KeyError::SigningSecret);
    }
    if text.starts_with("sk_org_") {
        return Err(KeyError::Organisation);
    }
    let (kind, rest) = match (text.strip_prefix("rk_"), text.strip_prefix("sk_")) {
        (Some(rest), _) => (KeyKind::Restricted, rest),
        (_, Some(rest)) => (KeyKind::Secret, rest),
        _ => return Err(KeyError::Unknown),
    };
    let (mode, rest) = match (rest.strip_prefix("live_"), rest.strip_prefix("test_")) {
        (Some(rest), _) => (Mode::Live, rest),
        (_, Some(rest)) => (Mode::Test, rest),
        _ => return Err(KeyError::NoMode),
    };
    // Stripe's own keys have letters, digits and underscores; stand-ins say more in theirs.
    let plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if !plain || !(4..=240).contains(&rest.len()) {
        return Err(KeyError::Malformed);
    }
    Ok(KeyInfo { kind, mode })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_mode_come_from_the_prefix() {
        let key = ApiKey::parse(" rk_live_abcDEF123\n").unwrap();
        assert_eq!(key.info(), KeyInfo { kind: KeyKind::Restricted, mode: Mode::Live });
        assert_eq!(key.expose(), "rk_live_abcDEF123");
        let key = ApiKey::parse("sk_test_12345").unwrap();
        assert_eq!(key.info(), KeyInfo { kind: KeyKind::Secret, mode: Mode::Test });
        assert!(!format!("{key:?}").contains("12345"));
    }

    #[test]
    fn other_texts_are_refused_with_their_reason() {
        for (text, error) in [
            ("", KeyError::Empty),
            ("pk_live_1234", KeyError::Publishable),
            ("whsec_1234", KeyError::SigningSecret),
            ("sk_org_live_1234", KeyError::Organisation),
            ("sk_1234567", KeyError::NoMode),
            ("rk_prod_1234", KeyError::NoMode),
            ("rk_live_", KeyError::Malformed),
            ("rk_live_ab cd", KeyError::Malformed),
            ("rk_live_ab\r\nX: y", KeyError::Malformed),
            ("rk_live_äöüß", KeyError::Malformed),
            ("hello", KeyError::Unknown),
        ] {
            assert_eq!(ApiKey::parse(text).unwrap_err(), error, "{text:?}");
            assert!(text.is_empty() || !error.to_string().contains("1234"));
        }
    }
}
