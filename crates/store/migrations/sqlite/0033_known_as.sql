-- Keys and addresses that a customer had, each from an instant on until the customer's next of its kind; written at the first
-- change, a customer without any had its own from the start. A purchase belongs to who had what it names at its time.
-- kind: key | email (value: the hash of the address, or nothing).
CREATE TABLE known_as (
  workspace_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  from_ms BIGINT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (workspace_id, customer_id, kind, from_ms)
);
CREATE INDEX ix_known_as ON known_as (workspace_id, value);
