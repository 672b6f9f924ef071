-- Credit notes are compared, too: what they gave back past Stripe.
ALTER TABLE reconcile_item RENAME TO reconcile_item_old;
ALTER INDEX reconcile_item_pkey RENAME TO reconcile_item_old_pkey;
CREATE TABLE reconcile_item (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  object_id TEXT NOT NULL,
  list TEXT NOT NULL CHECK (list IN ('invoices', 'charges', 'refunds', 'disputes', 'credit_notes')),
  currency TEXT NOT NULL,
  amount BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, connection_id, run_id, object_id),
  FOREIGN KEY (workspace_id, connection_id, run_id)
    REFERENCES import_run (workspace_id, connection_id, run_id)
);
INSERT INTO reconcile_item (workspace_id, connection_id, run_id, object_id, list, currency, amount, at)
  SELECT workspace_id, connection_id, run_id, object_id, list, currency, amount, at FROM reconcile_item_old;
DROP TABLE reconcile_item_old;
