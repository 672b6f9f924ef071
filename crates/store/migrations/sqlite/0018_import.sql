-- Reading an account's past: events that may have been missed, whole lists of objects, and lists to compare with. One run
-- of a kind is under way for a connection at a time; it goes on where it was, whoever works on it.
CREATE TABLE import_run (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('events', 'objects', 'reconcile')),
  state TEXT NOT NULL CHECK (state IN ('running', 'paused', 'done', 'failed')),
  started_by TEXT NOT NULL CHECK (started_by IN ('start', 'hourly', 'person', 'command')),
  since_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  gap_from BIGINT,
  step TEXT NOT NULL,
  cursor TEXT NOT NULL,
  pages BIGINT NOT NULL,
  done BIGINT NOT NULL,
  fresh BIGINT NOT NULL,
  total BIGINT,
  counts TEXT NOT NULL,
  notes TEXT NOT NULL,
  last_error TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  run_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  finished_at BIGINT,
  PRIMARY KEY (workspace_id, connection_id, run_id),
  FOREIGN KEY (workspace_id, connection_id) REFERENCES connection (workspace_id, connection_id)
);
CREATE UNIQUE INDEX ix_import_run_live ON import_run (workspace_id, connection_id, kind)
  WHERE state IN ('running', 'paused');
CREATE INDEX ix_import_run_list ON import_run (workspace_id, connection_id, started_at);

-- Who works on a connection's runs: a node or a command. Whoever lost the lease keeps nothing any more.
CREATE TABLE import_lease (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  holder TEXT NOT NULL,
  until_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, connection_id),
  FOREIGN KEY (workspace_id, connection_id) REFERENCES connection (workspace_id, connection_id)
);
