//! Prefixed identifiers. Randomness is injected: the caller brings 16 bytes.

/// Alphabet of Crockford's base 32, lower case: no `i`, `l`, `o`, `u`.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Alphabet of public program ids: 8 capital letters and digits, without those that look alike.
const PUBLIC: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// What an identifier names; gives the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// A merchant's company.
    Workspace,
    /// A person who logs in.
    User,
    /// A program.
    Program,
    /// A partner.
    Partner,
    /// A referral link.
    Link,
    /// A customer.
    Customer,
    /// A Stripe connection.
    Connection,
    /// An answer of Stripe that was kept.
    Observation,
    /// A ledger journal.
    Journal,
    /// A decision.
    Decision,
    /// An API key (its name, not its secret).
    ApiKey,
    /// A webhook signing secret (its name, not the secret).
    Secret,
    /// A sign-up that a browser told of.
    SignUp,
    /// A run that reads an account's past.
    Import,
    /// A promotion code that a partner owns.
    Code,
    /// A line of the audit log.
    Audit,
}

impl IdKind {
    /// The prefix before the underscore.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Workspace => "wsp",
            Self::User => "usr",
            Self::Program => "prg",
            Self::Partner => "ptr",
            Self::Link => "lnk",
            Self::Customer => "ctm",
            Self::Connection => "con",
            Self::Observation => "obs",
            Self::Journal => "jrn",
            Self::Decision => "dec",
            Self::ApiKey => "key",
            Self::Secret => "whs",
            Self::SignUp => "sgn",
            Self::Import => "imp",
            Self::Code => "pcd",
            Self::Audit => "aud",
        }
    }
}

/// Spells bytes in base 32, 5 bits a letter, without padding.
#[must_use]
pub fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut buffer, mut bits) = (0_u16, 0_u8);
    for byte in bytes {
        buffer = (buffer << 8) | u16::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(BASE32[usize::from((buffer >> bits) & 31)]));
            buffer &= (1 << bits) - 1;
        }
    }
    if bits > 0 {
        out.push(char::from(BASE32[usize::from((buffer << (5 - bits)) & 31)]));
    }
    out
}

/// An identifier of 128 random bits.
#[must_use]
pub fn make(kind: IdKind, random: [u8; 16]) -> String {
    format!("{}_{}", kind.prefix(), base32(&random))
}

/// A program's public id: 8 capital letters and digits (40 bits).
#[must_use]
pub fn public_id(random: [u8; 8]) -> String {
    random.iter().map(|byte| char::from(PUBLIC[usize::from(byte & 31)])).collect()
}

/// An identifier derived from what it names, so that the same thing gets the same id in every replay.
#[must_use]
pub fn derived(prefix: &str, parts: &[&str]) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    format!("{prefix}_{}", base32(&hash.finalize()[..16]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_a_prefix_and_26_letters() {
        let id = make(IdKind::Partner, [255; 16]);
        assert_eq!(id.len(), 4 + 26);
        assert!(id.starts_with("ptr_zzzz"));
    }

    #[test]
    fn public_ids_are_8_capitals_and_digits() {
        let id = public_id([0, 31, 32, 255, 7, 8, 9, 10]);
        assert_eq!(id.len(), 8);
        assert!(id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
    }

    #[test]
    fn derived_ids_tell_parts_apart() {
        assert_ne!(derived("sal", &["ab", "c"]), derived("sal", &["a", "bc"]));
        assert_eq!(derived("sal", &["ab"]), derived("sal", &["ab"]));
    }
}
