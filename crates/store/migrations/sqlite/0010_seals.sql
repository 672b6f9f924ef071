-- A hash chain over the committed journals of each program and mode, in the order in which a job sealed them.
CREATE TABLE seal (
  workspace_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
  n BIGINT NOT NULL CHECK (n > 0),
  journal_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  sealed_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, program_id, mode, n),
  UNIQUE (workspace_id, journal_id)
);
CREATE TRIGGER seal_no_update BEFORE UPDATE ON seal
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a seal is never changed'); END;
CREATE TRIGGER seal_no_delete BEFORE DELETE ON seal WHEN OLD.mode <> 'test'
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a live seal is never deleted'); END;

-- Journals that wait for their seal. Whoever posts one, it is here after the same commit.
CREATE TABLE unsealed (
  workspace_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  journal_id TEXT NOT NULL,
  PRIMARY KEY (workspace_id, program_id, mode, created_at, journal_id)
) WITHOUT ROWID;
INSERT INTO unsealed (workspace_id, program_id, mode, created_at, journal_id)
  SELECT workspace_id, program_id, mode, created_at, journal_id FROM journal;
CREATE TRIGGER journal_unsealed AFTER INSERT ON journal
BEGIN
  INSERT INTO unsealed (workspace_id, program_id, mode, created_at, journal_id)
    VALUES (NEW.workspace_id, NEW.program_id, NEW.mode, NEW.created_at, NEW.journal_id);
END;
