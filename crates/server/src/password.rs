//! Passwords: argon2id, kept as PHC texts; what is too easy is refused before it is kept.

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use tributary_store::StoreError;

/// Shortest password, bytes.
pub const MIN: usize = 8;
/// Longest password, bytes.
pub const MAX: usize = 1024;

/// Passwords that everybody tries first; letters of any case, and digits behind them, do not make them better.
const OBVIOUS: &[&str] = &[
    "12345678",
    "123123123",
    "11223344",
    "87654321",
    "abcdefgh",
    "abcd1234",
    "a1b2c3d4",
    "access",
    "admin",
    "administrator",
    "affiliate",
    "baseball",
    "changeme",
    "computer",
    "correcthorsebatterystaple",
    "default",
    "dragon",
    "football",
    "hello",
    "iloveyou",
    "internet",
    "letmein",
    "login",
    "master",
    "michael",
    "monkey",
    "p4ssw0rd",
    "p@ssw0rd",
    "p@ssword",
    "pa55word",
    "partner",
    "pass",
    "passw0rd",
    "password",
    "passwort",
    "princess",
    "qazwsxedc",
    "1qaz2wsx",
    "qwerty",
    "qwertyui",
    "qwertyuiop",
    "qwertz",
    "qwertzui",
    "referral",
    "root",
    "secret",
    "shadow",
    "starwars",
    "stripe",
    "sunshine",
    "superman",
    "test",
    "testtest",
    "trustno1",
    "tributary",
    "welcome",
    "whatever",
    "zaq12wsx",
];

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("a password has {MIN} to {MAX} bytes")]
    Length,
    /// Among the first that anybody would try.
    #[error(
        "this password is among the first that anybody would try; take a longer one, such as four random words"
    )]
    Obvious,
}

/// Takes or refuses a new password. `context` are words that must not be it: the e-mail, the company's name.
///
/// # Errors
/// A [`PasswordError`].
pub fn check_new(password: &str, context: &[&str]) -> Result<(), PasswordError> {
    if !(MIN..=MAX).contains(&password.len()) {
        return Err(PasswordError::Length);
    }
    let plain = password.to_lowercase();
    let stem = plain.trim_end_matches(|c: char| c.is_ascii_digit() || "!.?*#$ ".contains(c));
    let bytes = plain.as_bytes();
    let one_letter = bytes.iter().all(|byte| byte == &bytes[0]);
    let climbing = bytes.windows(2).all(|pair| pair[1].abs_diff(pair[0]) == 1);
    let listed = |text: &str| OBVIOUS.contains(&text);
    let known = context.iter().flat_map(|word| [*word, word.split('@').next().unwrap_or_default()]);
    let ours = known.map(str::to_lowercase).any(|word| word.len() > 2 && (plain == word || stem == word));
    if one_letter || climbing || listed(&plain) || listed(stem) || ours {
        return Err(PasswordError::Obvious);
    }
    Ok(())
}

fn argon2() -> Result<Argon2<'static>, StoreError> {
    // 19 MiB, two passes, one lane: about 35 ms of one core.
    let params = Params::new(19_456, 2, 1, None).map_err(|e| StoreError::Secret(e.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a password with a fresh salt; a PHC text. Takes some 35 ms of a core: not for the async threads.
///
/// # Errors
/// [`StoreError::Secret`] if there is no randomness.
pub fn hash(password: &str) -> Result<String, StoreError> {
    let hash: PasswordHash =
        argon2()?.hash_password(password.as_bytes()).map_err(|e| StoreError::Secret(e.to_string()))?;
    Ok(hash.to_string())
}

/// Is it the password? Takes as long as [`hash`], by the figures in the text.
#[must_use]
pub fn matches(password: &str, phc: &str) -> bool {
    let Ok(hash) = PasswordHash::new(phc) else { return false };
    password.len() <= MAX && Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_opens_to_its_password_alone() {
        let phc = hash("four green rivers run").unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(matches("four green rivers run", &phc));
        assert!(!matches("four green rivers ran", &phc));
        assert!(!matches("x", "not a hash"));
        assert_ne!(phc, hash("four green rivers run").unwrap());
    }

    #[test]
    fn easy_passwords_are_refused() {
        for bad in [
            "short",
            "Password1",
            "passw0rd!",
            "12345678",
            "aaaaaaaaaa",
            "abcdefghij",
            "ada@acme.test",
            "acmeworks7",
        ] {
            assert!(check_new(bad, &["ada@acme.test", "AcmeWorks"]).is_err(), "{bad}");
        }
        assert_eq!(check_new(&"x1".repeat(600), &[]), Err(PasswordError::Length));
        for good in ["four green rivers", "Tr0ub4dor&3xyz", "grünes Wasser 9"] {
            assert_eq!(check_new(good, &["ada@acme.test"]), Ok(()), "{good}");
        }
    }
}
