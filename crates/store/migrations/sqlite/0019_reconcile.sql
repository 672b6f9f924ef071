-- What Stripe listed for a comparison, one row an object. The comparison itself is computed when it is looked at.
CREATE TABLE reconcile_item (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  object_id TEXT NOT NULL,
  list TEXT NOT NULL CHECK (list IN ('invoices', 'charges', 'refunds', 'disputes')),
  currency TEXT NOT NULL,
  amount BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, connection_id, run_id, object_id),
  FOREIGN KEY (workspace_id, connection_id, run_id)
    REFERENCES import_run (workspace_id, connection_id, run_id)
);
