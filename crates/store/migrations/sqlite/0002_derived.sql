-- Everything here can be rebuilt from the sources.

-- Every object id that any source named, the sale it belongs to, and all that is known of the object.
CREATE TABLE alias (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  object_id TEXT NOT NULL,
  sale_id TEXT,
  state TEXT,
  PRIMARY KEY (workspace_id, connection_id, object_id)
);
CREATE INDEX ix_alias_sale ON alias (workspace_id, sale_id);

CREATE TABLE sale (
  workspace_id TEXT NOT NULL,
  sale_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
  merged_into TEXT,
  root_id TEXT NOT NULL,
  state TEXT NOT NULL,
  occurred_at BIGINT NOT NULL,
  currency TEXT NOT NULL,
  total BIGINT NOT NULL,
  tax BIGINT NOT NULL,
  shipping BIGINT NOT NULL,
  discount BIGINT NOT NULL,
  paid BIGINT NOT NULL,
  captured BIGINT NOT NULL,
  refunded BIGINT NOT NULL,
  tax_unknown BOOLEAN NOT NULL,
  rewardable BOOLEAN NOT NULL,
  fixed_reward BIGINT,
  buyer_id TEXT NOT NULL,
  email_hash TEXT,
  awaiting_since BIGINT,
  program_id TEXT,
  customer_id TEXT,
  place_reason TEXT NOT NULL,
  unplaced BOOLEAN NOT NULL,
  unsettled BOOLEAN NOT NULL,
  outcome TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, sale_id),
  CHECK (total >= 0 AND paid >= 0 AND paid <= total AND captured >= 0 AND refunded >= 0 AND refunded <= captured)
);
CREATE UNIQUE INDEX ix_sale_root ON sale (workspace_id, connection_id, root_id) WHERE merged_into IS NULL;
CREATE INDEX ix_sale_unplaced ON sale (workspace_id, connection_id, sale_id) WHERE unplaced;
CREATE INDEX ix_sale_unsettled ON sale (workspace_id, program_id, customer_id, occurred_at, root_id) WHERE unsettled;
CREATE INDEX ix_sale_scope ON sale (workspace_id, program_id, customer_id, occurred_at, root_id);
CREATE INDEX ix_sale_buyer ON sale (workspace_id, connection_id, buyer_id, occurred_at);
CREATE INDEX ix_sale_list ON sale (workspace_id, program_id, mode, occurred_at, root_id);
CREATE INDEX ix_sale_awaiting ON sale (workspace_id, awaiting_since) WHERE awaiting_since IS NOT NULL;

-- Reasons to attribute that Stripe objects carry, before their values are looked up.
CREATE TABLE evidence (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  object_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  sale_id TEXT,
  buyer_id TEXT NOT NULL,
  effective_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, connection_id, object_id, kind, value)
);
CREATE INDEX ix_evidence_buyer ON evidence (workspace_id, connection_id, buyer_id, kind, value, effective_at, object_id);
CREATE INDEX ix_evidence_sale ON evidence (workspace_id, sale_id);

-- The earliest piece of evidence of each kind and value that a buyer's objects carry.
CREATE TABLE buyer_hint (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  buyer_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  effective_at BIGINT NOT NULL,
  object_id TEXT NOT NULL,
  PRIMARY KEY (workspace_id, connection_id, buyer_id, kind, value)
);
CREATE INDEX ix_buyer_hint_value ON buyer_hint (workspace_id, value, connection_id, buyer_id);

-- Which customer a buyer is in which program, and by what.
CREATE TABLE buyer_customer (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  buyer_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  effective_at BIGINT NOT NULL,
  source_id TEXT NOT NULL,
  PRIMARY KEY (workspace_id, connection_id, buyer_id, program_id)
);
CREATE INDEX ix_buyer_customer ON buyer_customer (workspace_id, customer_id);

-- The group that settles together: one customer in one program.
CREATE TABLE scope (
  workspace_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
  generation BIGINT NOT NULL,
  settled_generation BIGINT NOT NULL,
  whole BOOLEAN NOT NULL,
  partner_id TEXT,
  first_at BIGINT,
  PRIMARY KEY (workspace_id, program_id, customer_id)
);
CREATE INDEX ix_scope_dirty ON scope (workspace_id, program_id, customer_id) WHERE generation > settled_generation;

-- One beneficiary, one sale, one rule. The figures of target are what journals must add up to.
CREATE TABLE commission (
  workspace_id TEXT NOT NULL,
  commission_id TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
  program_id TEXT NOT NULL,
  partner_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  sale_id TEXT NOT NULL,
  root_id TEXT NOT NULL,
  rule TEXT NOT NULL,
  currency TEXT NOT NULL,
  target BIGINT NOT NULL CHECK (target >= 0),
  gross BIGINT NOT NULL CHECK (gross >= 0),
  revenue BIGINT NOT NULL,
  occurred_at BIGINT NOT NULL,
  payable_at BIGINT NOT NULL,
  matured_at BIGINT,
  outcome TEXT NOT NULL,
  last_seq BIGINT NOT NULL,
  last_seal TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, commission_id),
  UNIQUE (workspace_id, mode, currency, commission_id),
  FOREIGN KEY (workspace_id, program_id) REFERENCES program (workspace_id, program_id),
  FOREIGN KEY (workspace_id, partner_id) REFERENCES partner (workspace_id, partner_id)
);
CREATE INDEX ix_commission_sale ON commission (workspace_id, sale_id);
CREATE INDEX ix_commission_partner ON commission (workspace_id, partner_id, occurred_at);
CREATE INDEX ix_commission_hold ON commission (workspace_id, payable_at) WHERE matured_at IS NULL AND target > 0;

-- Counters: kept in the writer's batch, rebuilt by `verify --rebuild`.
-- Events a day, in shards, so that many writers do not wait for one row.
CREATE TABLE connection_day (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  day BIGINT NOT NULL,
  shard BIGINT NOT NULL,
  events BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, connection_id, day, shard)
);
CREATE TABLE partner_total (
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  program_id TEXT NOT NULL,
  partner_id TEXT NOT NULL,
  currency TEXT NOT NULL,
  sales BIGINT NOT NULL,
  revenue BIGINT NOT NULL,
  gross BIGINT NOT NULL,
  target BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, mode, program_id, partner_id, currency)
);

CREATE TABLE job (
  workspace_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  dedup TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('ready', 'parked')),
  run_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  last_error TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, kind, dedup)
);
CREATE INDEX ix_job_ready ON job (workspace_id, run_at) WHERE state = 'ready';
