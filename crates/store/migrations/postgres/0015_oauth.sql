-- How a connection is let in: by a key of its own, by a token of the operator's Stripe App, or by the key of the
-- operator's Connect platform.
ALTER TABLE connection ADD COLUMN auth TEXT NOT NULL DEFAULT 'key' CHECK (auth IN ('key', 'app', 'connect'));

-- The operator's own App or Connect platform, one a mode. The secret is the developer's secret key.
CREATE TABLE oauth_client (
  workspace_id TEXT NOT NULL REFERENCES workspace (workspace_id),
  flow TEXT NOT NULL CHECK (flow IN ('app', 'connect')),
  mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
  client_id TEXT NOT NULL,
  secret BYTEA NOT NULL,
  secret_hint TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, flow, mode)
);

-- An authorisation under way. Only the hash of the state is kept; it is used once, by the session that began it.
CREATE TABLE oauth_state (
  workspace_id TEXT NOT NULL REFERENCES workspace (workspace_id),
  state_hash TEXT NOT NULL,
  session_hash TEXT NOT NULL,
  program_id TEXT NOT NULL,
  flow TEXT NOT NULL CHECK (flow IN ('app', 'connect')),
  mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
  connection_id TEXT,
  expires_at BIGINT NOT NULL,
  used_at BIGINT,
  PRIMARY KEY (workspace_id, state_hash)
);
CREATE INDEX ix_oauth_state_expires ON oauth_state (workspace_id, expires_at);

-- The tokens of an App connection. refresh_before is the token that brought the newest one: it goes only when the
-- newest has worked. Empty: there is none. version counts renewals; a lease lets one node at a time renew.
CREATE TABLE connection_token (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  access BYTEA NOT NULL,
  access_until BIGINT NOT NULL,
  refresh BYTEA NOT NULL,
  refresh_before BYTEA NOT NULL,
  granted_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  refused TEXT NOT NULL,
  PRIMARY KEY (workspace_id, connection_id),
  FOREIGN KEY (workspace_id, connection_id) REFERENCES connection (workspace_id, connection_id)
);
