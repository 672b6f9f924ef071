//! A partner on the wire.

use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::wire::{Amount, amounts, opt_time, time};
use crate::tracking::link_url;
use serde::Serialize;
use tributary_store::api::Place;
use tributary_store::api::partners::{self, Link, Partner, Totals};
use tributary_store::{StoreError, Tx};
use utoipa::ToSchema;

/// A tag.
#[derive(Debug, Serialize, ToSchema)]
pub struct TagView {
    /// Its text.
    pub value: String,
}

pub(crate) fn tags(tags: &[String]) -> Vec<TagView> {
    tags.iter().map(|value| TagView { value: value.clone() }).collect()
}

/// A partner.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartnerView {
    /// The merchant's id, or Tributary's where none was given. Private.
    pub id: String,
    /// The public key in links.
    pub key: String,
    /// Lower case.
    pub email: String,
    /// First name.
    pub name: String,
    /// Last name.
    pub surname: String,
    /// Is it active?
    pub approved: bool,
    /// `active`, `pending`, `suspended` or `archived`.
    pub status: String,
    /// Tags.
    pub tags: Vec<TagView>,
    /// Always empty.
    pub custom_fields: Vec<String>,
    /// The default link.
    pub referral_link: String,
    /// When it was created.
    pub created_at: String,
    /// When it was changed last.
    pub updated_at: String,
    /// Always null: a deleted partner is not found.
    pub deleted_at: Option<String>,
}

/// A partner with its links and figures.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartnerDetail {
    /// The partner itself.
    #[serde(flatten)]
    pub partner: PartnerView,
    /// Customers brought.
    pub referrals_count: i64,
    /// All links, the default one first.
    pub referral_links: Vec<LinkView>,
    /// What it brought.
    pub referrals: Referrals,
    /// What it earned.
    pub commissions: Commissions,
    /// Always empty.
    pub custom_field_values: Vec<String>,
}

/// What a partner brought, in the mode of the call.
#[derive(Debug, Serialize, ToSchema)]
pub struct Referrals {
    /// Visits through its links.
    pub clicks: i64,
    /// Customers.
    pub signups: i64,
    /// What was sold, by currency.
    pub revenue: Vec<Amount>,
    /// Sales.
    pub sales_count: i64,
    /// Customers with at least one sale that earned.
    pub paid_accounts: i64,
}

/// What a partner earned, in three lists that do not overlap, net of reversals.
#[derive(Debug, Serialize, ToSchema)]
pub struct Commissions {
    /// Paid out.
    pub paid: Vec<Amount>,
    /// In the hold.
    pub pending: Vec<Amount>,
    /// Payable, not yet paid.
    pub not_paid: Vec<Amount>,
}

/// A referral link.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkView {
    /// Its id.
    pub id: String,
    /// The key in it.
    pub key: String,
    /// The whole URL.
    pub url: String,
    /// Is it the default link?
    pub default: bool,
    /// Is it an extra link?
    pub is_additional: bool,
    /// Always false: links without a key are not offered.
    pub direct_tracking: bool,
    /// Always false.
    pub direct_tracking_redirect: bool,
    /// Always null.
    pub direct_tracking_redirect_url: Option<String>,
}

pub(crate) fn link(caller: &Caller, link: &Link) -> LinkView {
    LinkView {
        id: link.link_id.clone(),
        key: link.key.clone(),
        url: link_url(&link.destination, &caller.program.parameter, &link.key),
        default: link.is_default,
        is_additional: !link.is_default,
        direct_tracking: false,
        direct_tracking_redirect: false,
        direct_tracking_redirect_url: None,
    }
}

pub(crate) fn partner(caller: &Caller, p: &Partner) -> PartnerView {
    PartnerView {
        id: p.external_id.clone(),
        key: p.key.clone(),
        email: p.email.clone(),
        name: p.name.clone(),
        surname: p.surname.clone(),
        approved: p.status == "active",
        status: p.status.clone(),
        tags: tags(&p.tags),
        custom_fields: Vec::new(),
        referral_link: link_url(&caller.program.website, &caller.program.parameter, &p.key),
        created_at: time(p.created_at),
        updated_at: time(p.updated_at),
        deleted_at: opt_time(p.deleted_at),
    }
}

/// A partner with what belongs to it, as read in one transaction.
pub(crate) struct Found {
    pub(crate) partner: Partner,
    links: Vec<Link>,
    totals: Totals,
}

pub(crate) async fn read(tx: &mut Tx<'_>, place: &Place, partner: Partner) -> Result<Found, StoreError> {
    let links = partners::links(tx, &place.workspace_id, &partner.partner_id).await?;
    let totals = partners::totals(tx, place, &partner.partner_id).await?;
    Ok(Found { partner, links, totals })
}

pub(crate) fn detail(caller: &Caller, found: &Found) -> Result<PartnerDetail, ApiError> {
    let totals = &found.totals;
    Ok(PartnerDetail {
        partner: partner(caller, &found.partner),
        referrals_count: totals.signups,
        referral_links: found.links.iter().map(|one| link(caller, one)).collect(),
        referrals: Referrals {
            clicks: totals.visits,
            signups: totals.signups,
            revenue: amounts(&totals.revenue)?,
            sales_count: totals.sales,
            paid_accounts: totals.paid_accounts,
        },
        commissions: Commissions {
            paid: Vec::new(),
            pending: amounts(&totals.pending)?,
            not_paid: amounts(&totals.payable)?,
        },
        custom_field_values: Vec::new(),
    })
}
