-- Ids are text made by the application; times are ms UTC; money is minor units; flags are BOOLEAN.
-- workspace_id comes first in every key of tenant data.

CREATE TABLE workspace (
  workspace_id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  data_key BLOB NOT NULL,
  created_at BIGINT NOT NULL
);

-- The only look-up without a workspace: program public id, API key hash, session hash, login e-mail.
CREATE TABLE route (
  kind TEXT NOT NULL,
  token TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  program_id TEXT,
  PRIMARY KEY (kind, token)
);

CREATE TABLE user_account (
  workspace_id TEXT NOT NULL REFERENCES workspace (workspace_id),
  user_id TEXT NOT NULL,
  email TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'analyst')),
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, user_id),
  UNIQUE (workspace_id, email)
);

CREATE TABLE user_session (
  workspace_id TEXT NOT NULL,
  session_hash TEXT NOT NULL,
  user_id TEXT NOT NULL,
  form_token TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  user_agent TEXT NOT NULL,
  PRIMARY KEY (workspace_id, session_hash),
  FOREIGN KEY (workspace_id, user_id) REFERENCES user_account (workspace_id, user_id)
);

CREATE TABLE program (
  workspace_id TEXT NOT NULL REFERENCES workspace (workspace_id),
  program_id TEXT NOT NULL,
  public_id TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('affiliate', 'refer_a_friend')),
  currency TEXT NOT NULL,
  website TEXT NOT NULL,
  match_email BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, program_id),
  UNIQUE (workspace_id, name),
  UNIQUE (workspace_id, public_id)
);

CREATE TABLE terms (
  workspace_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  from_ms BIGINT,
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, program_id, version),
  FOREIGN KEY (workspace_id, program_id) REFERENCES program (workspace_id, program_id)
);

CREATE TABLE api_key (
  workspace_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  name TEXT NOT NULL,
  hint TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT,
  PRIMARY KEY (workspace_id, key_id),
  UNIQUE (workspace_id, token_hash),
  FOREIGN KEY (workspace_id, program_id) REFERENCES program (workspace_id, program_id)
);

CREATE TABLE partner (
  workspace_id TEXT NOT NULL,
  partner_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  external_id TEXT NOT NULL,
  key TEXT NOT NULL,
  email TEXT NOT NULL,
  name TEXT NOT NULL,
  surname TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('active', 'pending', 'suspended', 'archived', 'deleted')),
  tags TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT,
  PRIMARY KEY (workspace_id, partner_id),
  UNIQUE (workspace_id, program_id, external_id),
  UNIQUE (workspace_id, program_id, key),
  FOREIGN KEY (workspace_id, program_id) REFERENCES program (workspace_id, program_id)
);
CREATE UNIQUE INDEX ix_partner_email ON partner (workspace_id, program_id, email) WHERE deleted_at IS NULL;
CREATE INDEX ix_partner_list ON partner (workspace_id, program_id, created_at, partner_id);

-- Dated versions of a partner's status: a suspension earns nothing on sales dated in it.
CREATE TABLE partner_status (
  workspace_id TEXT NOT NULL,
  partner_id TEXT NOT NULL,
  from_ms BIGINT NOT NULL,
  status TEXT NOT NULL,
  PRIMARY KEY (workspace_id, partner_id, from_ms),
  FOREIGN KEY (workspace_id, partner_id) REFERENCES partner (workspace_id, partner_id)
);

CREATE TABLE referral_link (
  workspace_id TEXT NOT NULL,
  link_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  partner_id TEXT NOT NULL,
  key TEXT NOT NULL,
  destination TEXT NOT NULL,
  is_default BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, link_id),
  UNIQUE (workspace_id, program_id, key),
  FOREIGN KEY (workspace_id, partner_id) REFERENCES partner (workspace_id, partner_id)
);

-- A customer written by API is a source; one born of a purchase is derived (origin says which).
CREATE TABLE customer (
  workspace_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
  program_id TEXT NOT NULL,
  key TEXT NOT NULL,
  email TEXT NOT NULL,
  email_hash TEXT,
  name TEXT NOT NULL,
  surname TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'archived', 'deleted')),
  tags TEXT NOT NULL,
  origin TEXT NOT NULL CHECK (origin IN ('api', 'purchase')),
  partner_id TEXT,
  born_of TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT,
  PRIMARY KEY (workspace_id, customer_id),
  UNIQUE (workspace_id, mode, program_id, key),
  FOREIGN KEY (workspace_id, program_id) REFERENCES program (workspace_id, program_id)
);
CREATE INDEX ix_customer_email ON customer (workspace_id, mode, program_id, email_hash);
CREATE INDEX ix_customer_list ON customer (workspace_id, program_id, created_at, customer_id);
CREATE INDEX ix_customer_partner ON customer (workspace_id, partner_id);

CREATE TABLE connection (
  workspace_id TEXT NOT NULL REFERENCES workspace (workspace_id),
  connection_id TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
  account_id TEXT NOT NULL,
  account_name TEXT NOT NULL,
  api_base TEXT NOT NULL,
  api_key BLOB NOT NULL,
  key_hint TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('connected', 'broken', 'disconnected')),
  status_reason TEXT NOT NULL,
  warnings TEXT NOT NULL,
  endpoint_id TEXT,
  endpoint_url TEXT,
  polling BOOLEAN NOT NULL,
  cursor_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, connection_id),
  UNIQUE (workspace_id, mode, account_id)
);

CREATE TABLE connection_secret (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  secret_id TEXT NOT NULL,
  secret BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  PRIMARY KEY (workspace_id, connection_id, secret_id),
  FOREIGN KEY (workspace_id, connection_id) REFERENCES connection (workspace_id, connection_id)
);

CREATE TABLE connection_program (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, connection_id, program_id),
  FOREIGN KEY (workspace_id, connection_id) REFERENCES connection (workspace_id, connection_id),
  FOREIGN KEY (workspace_id, program_id) REFERENCES program (workspace_id, program_id)
);
CREATE INDEX ix_connection_program ON connection_program (workspace_id, program_id);

-- The inbox. Narrow: the payload lies apart.
CREATE TABLE event (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  type TEXT NOT NULL,
  object_id TEXT NOT NULL,
  api_version TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  via TEXT NOT NULL CHECK (via IN ('webhook', 'poll', 'backfill')),
  outcome TEXT NOT NULL CHECK (outcome IN ('pending', 'processed', 'ignored', 'parked')),
  reason TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  run_at BIGINT NOT NULL,
  processed_at BIGINT,
  PRIMARY KEY (workspace_id, connection_id, event_id),
  FOREIGN KEY (workspace_id, connection_id) REFERENCES connection (workspace_id, connection_id)
);
CREATE INDEX ix_event_pending ON event (workspace_id, connection_id, run_at) WHERE outcome = 'pending';
CREATE INDEX ix_event_list ON event (workspace_id, connection_id, received_at, event_id);
CREATE INDEX ix_event_parked ON event (workspace_id, connection_id) WHERE outcome = 'parked';

CREATE TABLE event_payload (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (workspace_id, connection_id, event_id)
);

-- An answer of Stripe, kept like an event; an empty or a missing one too.
CREATE TABLE observation (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  observation_id TEXT NOT NULL,
  request TEXT NOT NULL,
  subject TEXT NOT NULL,
  http_status BIGINT NOT NULL,
  fetched_at BIGINT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (workspace_id, connection_id, observation_id),
  FOREIGN KEY (workspace_id, connection_id) REFERENCES connection (workspace_id, connection_id)
);
CREATE INDEX ix_observation_subject ON observation (workspace_id, connection_id, subject);

-- What was understood from one source about one object: free of API versions and of clear personal data.
CREATE TABLE fact (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  source_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  object_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (workspace_id, connection_id, source_id, n)
);
CREATE INDEX ix_fact_object ON fact (workspace_id, connection_id, object_id);

-- A transaction written through the REST API: a source.
CREATE TABLE api_transaction (
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
  program_id TEXT NOT NULL,
  key TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  action TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, mode, program_id, key),
  FOREIGN KEY (workspace_id, customer_id) REFERENCES customer (workspace_id, customer_id)
);

-- What a person or the API decided, on an economic key.
CREATE TABLE decision (
  workspace_id TEXT NOT NULL,
  decision_id TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
  program_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('void', 'unvoid', 'attribute')),
  connection_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  value TEXT NOT NULL,
  actor TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, decision_id)
);
CREATE INDEX ix_decision_subject ON decision (workspace_id, connection_id, subject);
CREATE INDEX ix_decision_program ON decision (workspace_id, program_id);
