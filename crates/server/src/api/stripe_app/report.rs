//! What the app shows of a customer, on the wire. Amounts are texts in major units, so that no browser makes a float of them.

use serde::Serialize;
use utoipa::ToSchema;

/// What is known of a customer of Stripe.
#[derive(Debug, Serialize, ToSchema)]
pub struct Report {
    /// Did somebody refer this customer, in any program?
    pub referred: bool,
    /// Why not: `not_connected` (this workspace does not know the account in this mode), `unknown_customer` or `nobody`.
    pub reason: Option<String>,
    /// The same in a sentence.
    pub message: String,
    /// By program, the one that knew the customer first in front. At most 10.
    pub programs: Vec<ProgramReport>,
}

/// What one program knows.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgramReport {
    /// The program's public id.
    pub id: String,
    /// The program's name.
    pub name: String,
    /// Who referred the customer.
    pub partner: Option<PartnerReport>,
    /// Since when the partner counts.
    pub since: Option<String>,
    /// Who referred the customer and why, in a sentence.
    pub because: String,
    /// What fixed the partner.
    pub evidence: Option<EvidenceReport>,
    /// Tributary's page of the customer.
    pub url: String,
    /// What was earned, by currency.
    pub earned: Vec<EarnedReport>,
    /// The newest sales, at most 10.
    pub sales: Vec<SaleReport>,
    /// Are there more sales than these?
    pub more_sales: bool,
}

/// A partner.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartnerReport {
    /// First and last name, else the key.
    pub name: String,
    /// The public key.
    pub key: String,
    /// The default link.
    pub link: String,
    /// Tributary's page of the partner.
    pub url: String,
}

/// A piece of evidence.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvidenceReport {
    /// `click`, `client_reference`, `sign_up`, …
    pub kind: String,
    /// What it is and says, in words.
    pub words: String,
    /// The object at Stripe, or the row, that carries it.
    pub source: String,
}

/// What was earned in one currency, in major units as texts. The four do not overlap.
#[derive(Debug, Serialize, ToSchema)]
pub struct EarnedReport {
    /// ISO 4217, upper case.
    pub currency: String,
    /// In the hold.
    pub pending: String,
    /// Payable, not yet paid.
    pub payable: String,
    /// Paid out.
    pub paid: String,
    /// Earned once and taken back.
    pub reversed: String,
}

/// A sale.
#[derive(Debug, Serialize, ToSchema)]
pub struct SaleReport {
    /// The object that the purchase is rooted in.
    pub id: String,
    /// When the money came.
    pub at: String,
    /// ISO 4217, upper case.
    pub currency: String,
    /// What was paid, in major units.
    pub paid: String,
    /// What was given back of it, in major units.
    pub refunded: String,
    /// `paid`, `awaiting_link`, …
    pub state: String,
    /// What is earned of it, in major units of `earned_currency`; null where nothing is.
    pub earned: Option<String>,
    /// ISO 4217, upper case.
    pub earned_currency: Option<String>,
    /// Why nothing is earned, in a clause; empty where something is.
    pub nothing_because: String,
    /// Tributary's page that explains it.
    pub url: String,
}
