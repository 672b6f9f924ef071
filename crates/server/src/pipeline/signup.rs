//! A sign-up that a browser told of: evidence, never authority.
//!
//! It makes a customer, or gives its partner to one that has none. It never changes a customer that has a partner,
//! nor one that was archived or deleted, and a server call takes its customer's place at any time.

use super::again::customer_changed;
use crate::api::customers::change::hash_of;
use crate::state::new_id;
use tributary_domain::attribution::{in_window, is_visit_id};
use tributary_domain::ids::IdKind;
use tributary_store::api::customers::{self, Customer};
use tributary_store::api::{By, Place, partners};
use tributary_store::pipeline::signups::{self, BrowserSignup};
use tributary_store::pipeline::{objects, policies, visits};
use tributary_store::vault::Key;
use tributary_store::{StoreError, Tx};

/// What a browser says, each field checked for its form and length by the caller; texts may be empty.
#[derive(Debug, Clone)]
pub struct Signup {
    /// The customer's key.
    pub key: String,
    /// E-mail address, lower case.
    pub email: String,
    /// First name.
    pub name: String,
    /// Last name.
    pub surname: String,
    /// The key of the partner that the browser remembers.
    pub partner_key: String,
    /// The visit that the browser remembers, or any other id of the visitor.
    pub visitor: String,
    /// The page, without query.
    pub page: String,
    /// When it arrived, ms UTC.
    pub at: i64,
}

/// What became of it. For the record: a browser is never told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignupOutcome {
    /// It made the customer.
    Created,
    /// It gave a customer without a partner its partner.
    Joined,
    /// The customer has a partner, or is archived or deleted: nothing was changed.
    Kept,
    /// Neither the partner's key nor the visit leads to a partner of this program: nothing was changed.
    NoPartner,
}

/// Takes in a sign-up from a browser, and asks for the settlement of what it may be evidence for.
///
/// # Errors
/// The database's.
pub async fn record_browser_signup(
    tx: &mut Tx<'_>,
    place: &Place,
    data_key: &Key,
    signup: &Signup,
) -> Result<SignupOutcome, StoreError> {
    let Some((partner_id, visit_id)) = partner_of(tx, place, signup).await? else {
        return Ok(SignupOutcome::NoPartner);
    };
    // Most sign-ups that are told twice end here, without a lock.
    if customers::find_holder(tx, place, &signup.key).await?.is_some_and(|holder| !is_open(&holder)) {
        return Ok(SignupOutcome::Kept);
    }
    objects::lock_program(tx, &place.workspace_id, &place.program_id).await?;
    let (customer_id, outcome) = match customers::find_holder(tx, place, &signup.key).await? {
        Some(holder) => {
            if !customers::join_by_browser(tx, place, &holder, &partner_id, signup.at).await? {
                return Ok(SignupOutcome::Kept);
            }
            (holder.customer_id, SignupOutcome::Joined)
        }
        None => {
            let customer = customer(signup, data_key, &partner_id)?;
            if !customers::insert_by_browser(tx, place, &customer).await? {
                return Ok(SignupOutcome::Kept);
            }
            (customer.customer_id, SignupOutcome::Created)
        }
    };
    let row = BrowserSignup {
        signup_id: new_id(IdKind::SignUp)?,
        customer_id,
        partner_id: Some(partner_id),
        visit_id,
        value: signup.key.clone(),
        page: signup.page.clone(),
        at: signup.at,
    };
    let (ws, mode) = (&place.workspace_id, &place.mode);
    signups::insert(tx, ws, mode, &place.program_id, &row).await?;
    customer_changed(tx, ws, mode, &row.customer_id, signup.at).await?;
    Ok(outcome)
}

/// May a browser give it a partner?
fn is_open(customer: &Customer) -> bool {
    customer.partner_id.is_none()
        && customer.origin == "api"
        && customer.status == "active"
        && customer.deleted_at.is_none()
}

/// Whom the browser names: the partner of its key, else of its visit. The visit is kept where it is that partner's
/// and inside of the window.
async fn partner_of(
    tx: &mut Tx<'_>,
    place: &Place,
    signup: &Signup,
) -> Result<Option<(String, Option<String>)>, StoreError> {
    let (ws, program) = (&place.workspace_id, &place.program_id);
    let visit = if is_visit_id(&signup.visitor) {
        visits::find(tx, ws, &place.mode, program, &signup.visitor).await?
    } else {
        None
    };
    let window = policies::window_at(tx, ws, program, signup.at).await?;
    let visit = visit.filter(|visit| in_window(visit.at, signup.at, window));
    let named = partners::find(tx, place, By::Key, &signup.partner_key).await?;
    let partner_id = match (named, &visit) {
        (Some(partner), _) => partner.partner_id,
        (None, Some(visit)) => visit.partner_id.clone(),
        (None, None) => return Ok(None),
    };
    let visit_id = visit.filter(|visit| visit.partner_id == partner_id).map(|visit| visit.visit_id);
    Ok(Some((partner_id, visit_id)))
}

fn customer(signup: &Signup, data_key: &Key, partner_id: &str) -> Result<Customer, StoreError> {
    Ok(Customer {
        customer_id: new_id(IdKind::Customer)?,
        key: signup.key.clone(),
        email: signup.email.clone(),
        email_hash: hash_of(data_key, &signup.email, &signup.key)?,
        name: signup.name.clone(),
        surname: signup.surname.clone(),
        status: "active".to_owned(),
        tags: Vec::new(),
        partner_id: Some(partner_id.to_owned()),
        partner_external_id: None,
        partner_by: "browser".to_owned(),
        origin: "api".to_owned(),
        created_at: signup.at,
        updated_at: signup.at,
        deleted_at: None,
    })
}
