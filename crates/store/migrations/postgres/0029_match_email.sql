-- Whether customers are found by their e-mail address is a part of the dated policy: every version holds what was set until
-- now. A program that never set anything and does not match addresses gets a first version, which has no start.
ALTER TABLE policy ADD COLUMN match_email BOOLEAN NOT NULL DEFAULT TRUE;
UPDATE policy SET match_email = (SELECT p.match_email FROM program p WHERE p.workspace_id = policy.workspace_id
  AND p.program_id = policy.program_id);
INSERT INTO policy (workspace_id, program_id, version, from_ms, window_days, created_at, code_first, per_sale, match_email)
  SELECT p.workspace_id, p.program_id, 1, NULL, 30, p.created_at, FALSE, FALSE, p.match_email FROM program p
  WHERE NOT p.match_email AND NOT EXISTS (SELECT 1 FROM policy y WHERE y.workspace_id = p.workspace_id AND y.program_id = p.program_id);
ALTER TABLE program DROP COLUMN match_email;

-- A buyer may be one customer by the address, for sales of the time when addresses are matched, and another one without it.
-- SQLite cannot change a primary key: the tables are made anew.
CREATE TABLE buyer_customer_new (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  buyer_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  effective_at BIGINT NOT NULL,
  source_id TEXT NOT NULL,
  by_email BOOLEAN NOT NULL DEFAULT FALSE,
  PRIMARY KEY (workspace_id, connection_id, buyer_id, program_id, by_email)
);
INSERT INTO buyer_customer_new (workspace_id, connection_id, buyer_id, program_id, customer_id, kind, effective_at,
  source_id, by_email) SELECT workspace_id, connection_id, buyer_id, program_id, customer_id, kind, effective_at,
  source_id, kind = 'email' FROM buyer_customer;
DROP TABLE buyer_customer;
ALTER TABLE buyer_customer_new RENAME TO buyer_customer;
CREATE INDEX ix_buyer_customer ON buyer_customer (workspace_id, customer_id);
CREATE TABLE erased_buyer_new (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  buyer_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  effective_at BIGINT NOT NULL,
  place BIGINT NOT NULL,
  by_email BOOLEAN NOT NULL DEFAULT FALSE,
  PRIMARY KEY (workspace_id, connection_id, buyer_id, program_id, by_email)
);
INSERT INTO erased_buyer_new (workspace_id, connection_id, buyer_id, program_id, customer_id, effective_at, place, by_email)
  SELECT workspace_id, connection_id, buyer_id, program_id, customer_id, effective_at, place, FALSE FROM erased_buyer;
DROP TABLE erased_buyer;
ALTER TABLE erased_buyer_new RENAME TO erased_buyer;
