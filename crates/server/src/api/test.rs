//! `GET /v1/test`

use super::auth::Caller;
use super::error::{ApiError, Refusal};
use super::wire::{Data, one};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

/// What a good key opens.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestView {
    /// The program of the key.
    pub program: ProgramView,
}

/// A program.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgramView {
    /// Its public id: 8 capital letters and digits.
    pub pub_id: String,
    /// Its name.
    pub name: String,
    /// `affiliate` or `refer_a_friend`.
    #[serde(rename = "type")]
    pub kind: String,
    /// ISO 4217, upper case.
    pub currency: String,
    /// `test` or `live`: the mode of this call.
    pub mode: String,
}

/// Says whether the key is good, and which program it opens.
#[utoipa::path(get, path = "/v1/test", tag = "Test", operation_id = "test",
    responses((status = 200, body = Data<TestView>), (status = 401, body = Refusal)),
    security(("api_key" = [])))]
pub async fn test(caller: Caller) -> Result<Response, ApiError> {
    let program = ProgramView {
        pub_id: caller.program.public_id.clone(),
        name: caller.program.name.clone(),
        kind: caller.program.kind.clone(),
        currency: super::wire::units(&caller.program.currency),
        mode: caller.place.mode.clone(),
    };
    Ok(one(StatusCode::OK, TestView { program }))
}
