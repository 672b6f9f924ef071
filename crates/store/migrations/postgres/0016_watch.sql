-- When a connection was last looked at, how often that failed in a row, and what a person was told last.
ALTER TABLE connection ADD COLUMN looked_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connection ADD COLUMN look_failures BIGINT NOT NULL DEFAULT 0;

-- Where a signing secret comes from (our endpoint, or pasted: NULL), and when it last verified an event.
ALTER TABLE connection_secret ADD COLUMN endpoint_id TEXT;
ALTER TABLE connection_secret ADD COLUMN verified_at BIGINT;

-- What somebody has to be told, written with the change that it tells of; sent later, at least once.
CREATE TABLE alert (
  workspace_id TEXT NOT NULL REFERENCES workspace (workspace_id),
  alert_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  text TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  run_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  sent_at BIGINT,
  PRIMARY KEY (workspace_id, alert_id)
);
CREATE INDEX ix_alert_due ON alert (workspace_id, run_at) WHERE sent_at IS NULL;
