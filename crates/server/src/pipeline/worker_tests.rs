//! Events that were read from the inbox, and are gone when they are written.

use super::*;
use crate::api::tests::harness::{Api, START};
use crate::stripe::receive::{Receive, new_event};
use serde_json::json;
use tributary_stripe::event::Envelope;

async fn receive(api: &Api, connection: &Connection, n: u32) {
    let event = json!({ "id": format!("evt_{n}"), "object": "event", "api_version": "2026-05-27.dahlia", "created": START / 1000,
        "livemode": false, "type": "charge.succeeded", "data": { "object": { "id": format!("ch_{n}"), "object": "charge",
        "amount": 5000, "amount_captured": 5000, "amount_refunded": 0, "captured": true, "paid": true, "currency": "usd",
        "created": START / 1000, "status": "succeeded", "customer": null, "payment_intent": null, "livemode": false } } });
    let raw = event.to_string();
    let data_key = api.app.data_key(&connection.workspace_id).await.unwrap();
    let envelope = Envelope::parse(raw.as_bytes()).unwrap();
    let event = new_event(&data_key, connection, &envelope, raw.as_bytes(), "webhook", START).unwrap();
    assert!(api.app.db.write(Receive(event)).await.unwrap());
}

#[tokio::test]
async fn events_that_were_wiped_since_they_were_read_are_not_written() {
    let api = Api::new().await;
    let connection = api.connection().await;
    let data_key = api.app.data_key(&connection.workspace_id).await.unwrap();
    let facts = "SELECT COUNT(*) FROM fact WHERE workspace_id = $1";
    for gone in [1, 2] {
        for n in 0..gone {
            receive(&api, &connection, n).await;
        }
        let due = Due { connection: connection.clone(), now: START };
        let events = api.app.db.read(due).await.unwrap();
        let batch = Batch::read(&api.app, &connection, &data_key, &events);
        assert_eq!((batch.sources.len(), batch.outcomes.len()), (gone as usize, gone as usize));
        crate::connect::wipe::test_data(&api.app, &connection.workspace_id, "somebody").await.unwrap();
        // One comes again after it, and is not taken along.
        receive(&api, &connection, 9).await;
        match api.app.db.write(Background(batch.clone())).await {
            Ok(()) => assert_eq!(gone, 1),
            Err(_) => project_apart(&api.app, batch, &events).await.unwrap(),
        }
        assert_eq!(api.number(facts).await, 0);
        drain(&api.app).await.unwrap();
        assert!(api.number(facts).await > 0, "what came after the wipe is understood");
        crate::connect::wipe::test_data(&api.app, &connection.workspace_id, "somebody").await.unwrap();
    }
}
