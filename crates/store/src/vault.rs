//! Secrets at rest: XChaCha20-Poly1305 with random nonces. The master key is never in the database; it opens
//! one data key a workspace, which opens the rest. The associated data binds each blob to its row and column.

use crate::error::StoreError;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
pub use zeroize::Zeroizing;

const VERSION: u8 = 1;
const NONCE: usize = 24;

/// A 256-bit key that wipes itself and does not print.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Takes 32 bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads 64 hex digits.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for anything else.
    pub fn from_hex(text: &str) -> Result<Self, StoreError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes)
            .map_err(|_| StoreError::Invalid("the master key is 64 hex digits (32 bytes)".into()))?;
        Ok(Self::new(bytes))
    }

    /// A fresh random key.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the system gives no randomness.
    pub fn random() -> Result<Self, StoreError> {
        Ok(Self::new(random()?))
    }

    /// Encrypts, bound to `place` (table, column and row).
    ///
    /// # Errors
    /// [`StoreError::Secret`] if the cipher refuses (a text beyond 256 GiB), or no randomness.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let nonce: [u8; NONCE] = random()?;
        let sealed = self
            .cipher()?
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: place.as_bytes() })
            .map_err(|_| StoreError::Secret("cannot encrypt".into()))?;
        let mut blob = Vec::with_capacity(1 + NONCE + sealed.len());
        blob.push(VERSION);
        blob.extend_from_slice(&nonce);
        blob.extend_from_slice(&sealed);
        Ok(blob)
    }

    /// Decrypts what [`Key::seal`] made for the same `place`.
    ///
    /// # Errors
    /// [`StoreError::Secret`] for a wrong key, another place, or a changed blob.
    pub fn open(&self, place: &str, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let wrong = || StoreError::Secret(format!("{place}: wrong key, or the row was changed"));
        let (nonce, sealed) = match blob.split_first() {
            Some((&VERSION, rest)) if rest.len() > NONCE => rest.split_at(NONCE),
            _ => return Err(wrong()),
        };
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| wrong())?;
        self.cipher()?
            .decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: place.as_bytes() })
            .map(Zeroizing::new)
            .map_err(|_| wrong())
    }

    /// A keyed hash of a text for one purpose, hex of the first 16 bytes: equal texts, equal hash.
    ///
    /// # Errors
    /// Never in practice: the key has the right length.
    pub fn keyed_hash(&self, purpose: &str, text: &str) -> Result<String, StoreError> {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&*self.0)
            .map_err(|_| StoreError::Secret("bad key length".into()))?;
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        Ok(hex::encode(&mac.finalize().into_bytes()[..16]))
    }

    fn cipher(&self) -> Result<XChaCha20Poly1305, StoreError> {
        XChaCha20Poly1305::new_from_slice(&*self.0).map_err(|_| StoreError::Secret("bad key length".into()))
    }

    /// The raw bytes, to be sealed under another key.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Random bytes from the operating system.
///
/// # Errors
/// [`StoreError::Unavailable`] if the system gives none.
pub fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| StoreError::Unavailable(format!("no randomness: {e}")))?;
    Ok(bytes)
}

/// SHA-256 of a token of high entropy, hex: what is stored instead of the token.
#[must_use]
pub fn token_hash(token: &str) -> String {
    use sha2::Digest;
    hex::encode(Sha256::digest(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_opens_only_in_its_place_with_its_key_unchanged() {
        let key = Key::new([7; 32]);
        let blob = key.seal("connection.api_key/con_1", b"sk_test_x").unwrap();
        assert_eq!(&*key.open("connection.api_key/con_1", &blob).unwrap(), b"sk_test_x");
        assert!(key.open("connection.api_key/con_2", &blob).is_err());
        assert!(Key::new([8; 32]).open("connection.api_key/con_1", &blob).is_err());
        for at in 0..blob.len() {
            let mut changed = blob.clone();
            changed[at] ^= 1;
            assert!(key.open("connection.api_key/con_1", &changed).is_err(), "byte {at}");
        }
        assert!(key.open("connection.api_key/con_1", &[]).is_err());
    }
}
