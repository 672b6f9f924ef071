//! `POST /v1/transactions/{key}/archive` and `/revoke-archive`

use super::get;
use super::record::{self, is_void};
use super::view::TransactionView;
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Refusal};
use crate::api::input::Id;
use crate::api::pipeline::{self, Decision};
use crate::api::wire::Data;
use crate::api::work::{self, Work};
use axum::http::StatusCode;
use axum::response::Response;
use tributary_store::Tx;
use tributary_store::api::Place;

/// A decision about a transaction: void or not, and in which words.
#[derive(Clone, Copy)]
pub(super) struct Void {
    pub(super) void: bool,
    pub(super) value: &'static str,
}

struct Decide {
    place: Place,
    key: String,
    void: Void,
    actor: String,
    now: i64,
}

impl Work for Decide {
    type Out = Option<String>;
    async fn go(&self, tx: &mut Tx<'_>) -> Result<Self::Out, ApiError> {
        pipeline::lock(tx, &self.place).await?;
        let found = record::get(tx, &self.place, &self.key).await?;
        let Void { void, value } = self.void;
        let settled = is_void(&found) == void && value != "deleted";
        if settled {
            return Ok(None);
        }
        let decision = Decision {
            workspace_id: self.place.workspace_id.clone(),
            mode: self.place.mode.clone(),
            program_id: self.place.program_id.clone(),
            kind: if void { "void" } else { "unvoid" },
            connection_id: found.sale.connection_id.clone(),
            subject: found.sale.root_id.clone(),
            value: value.to_owned(),
            actor: self.actor.clone(),
            reason: String::new(),
        };
        // The last decision holds, so it must be later than the one before.
        let last = found.voided.map_or(i64::MIN, |last| last.created_at.saturating_add(1));
        pipeline::decide(tx, &decision, self.now.max(last)).await?;
        Ok(found.sale.customer_id)
    }
}

impl Void {
    /// Decides, and settles the customer.
    pub(super) async fn apply(self, caller: &Caller, key: String) -> Result<(), ApiError> {
        let place = caller.place.clone();
        let actor = format!("api:{}", caller.key_id);
        let work = Decide { place: place.clone(), key, void: self, actor, now: caller.now };
        if let Some(customer_id) = work::write(&caller.app, work).await? {
            let app = &caller.app;
            pipeline::settle_customer(app, &place.workspace_id, &place.program_id, &customer_id).await?;
        }
        Ok(())
    }
}

/// Archives a transaction with its rewards. Once more changes nothing.
#[utoipa::path(post, path = "/v1/transactions/{key}/archive", tag = "Transactions",
    operation_id = "archive_transaction",
    params(("key" = String, Path, description = "Its key, or any Stripe id of the purchase")),
    responses((status = 200, body = Data<TransactionView>), (status = 401, body = Refusal),
        (status = 404, body = Refusal)),
    security(("api_key" = [])))]
pub async fn archive(caller: Caller, Id(key): Id) -> Result<Response, ApiError> {
    Void { void: true, value: "archived" }.apply(&caller, key.clone()).await?;
    get::answer(&caller, StatusCode::OK, key).await
}

/// Brings an archived transaction back with its rewards.
#[utoipa::path(post, path = "/v1/transactions/{key}/revoke-archive", tag = "Transactions",
    operation_id = "revoke_archive_transaction",
    params(("key" = String, Path, description = "Its key, or any Stripe id of the purchase")),
    responses((status = 200, body = Data<TransactionView>), (status = 401, body = Refusal),
        (status = 404, body = Refusal)),
    security(("api_key" = [])))]
pub async fn revoke(caller: Caller, Id(key): Id) -> Result<Response, ApiError> {
    Void { void: false, value: "" }.apply(&caller, key.clone()).await?;
    get::answer(&caller, StatusCode::OK, key).await
}
