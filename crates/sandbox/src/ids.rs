//! Ids that look like Stripe's and depend on nothing but the seed, the world and how many came before.

use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A source of ids and of other deterministic choices.
#[derive(Debug, Clone)]
pub struct Ids {
    seed: [u8; 32],
    count: u64,
}

impl Ids {
    /// A source of its own for each seed and scope.
    pub fn new(seed: u64, scope: &str) -> Self {
        let seed = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(scope.as_bytes()).finalize();
        Self { seed: seed.into(), count: 0 }
    }

    fn block(&mut self) -> [u8; 32] {
        self.count = self.count.wrapping_add(1);
        Sha256::new().chain_update(self.seed).chain_update(self.count.to_be_bytes()).finalize().into()
    }

    /// `length` letters and digits.
    pub fn letters(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length);
        while text.len() < length {
            for byte in self.block() {
                if text.len() < length {
                    text.push(char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
                }
            }
        }
        text
    }

    /// The next id with a prefix, as long as Stripe's of that kind.
    pub fn next(&mut self, prefix: &str) -> String {
        match prefix {
            "cus" | "prod" | "si" | "req" => format!("{prefix}_{}", self.letters(14)),
            "cs_test" | "cs_live" => format!("{prefix}_a1{}", self.letters(56)),
            "whsec" => format!("{prefix}_{}", self.letters(32)),
            "acct" => format!("{prefix}_1{}", self.letters(15)),
            "pi" | "ch" | "py" | "re" | "txn" => format!("{prefix}_3{}", self.letters(23)),
            _ => format!("{prefix}_1{}", self.letters(23)),
        }
    }

    /// A number from 0 up to, but without, `limit`; 0 if `limit` is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        let block = self.block();
        let mut word = [0u8; 8];
        word.copy_from_slice(&block[..8]);
        u64::from_be_bytes(word).checked_rem(limit).unwrap_or(0)
    }

    /// True in `percent` of 100 cases.
    pub fn happens(&mut self, percent: u8) -> bool {
        self.below(100) < u64::from(percent)
    }
}

/// The kind of object that an id names, by its prefix.
pub fn kind_of(id: &str) -> Option<&'static str> {
    const PREFIXES: &[(&str, &str)] = &[
        ("cus_", "customer"),
        ("prod_", "product"),
        ("price_", "price"),
        ("plink_", "payment_link"),
        ("cs_", "checkout.session"),
        ("cn_", "credit_note"),
        ("cbtxn_", "customer_balance_transaction"),
        ("ii_", "invoiceitem"),
        ("sub_", "subscription"),
        ("si_", "subscription_item"),
        ("inpay_", "invoice_payment"),
        ("in_", "invoice"),
        ("pi_", "payment_intent"),
        ("ch_", "charge"),
        ("py_", "charge"),
        ("re_", "refund"),
        ("txn_", "balance_transaction"),
        ("evt_", "event"),
        ("we_", "webhook_endpoint"),
        ("promo_", "promotion_code"),
        ("di_", "discount"),
        ("dp_", "dispute"),
        ("shr_", "shipping_rate"),
        ("acct_", "account"),
    ];
    PREFIXES.iter().find(|(prefix, _)| id.starts_with(prefix)).map(|(_, kind)| *kind)
}
