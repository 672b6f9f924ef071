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
CREATE TRIGGER seal_append_only BEFORE UPDATE OR DELETE ON seal
  FOR EACH ROW EXECUTE FUNCTION ledger_append_only();

-- Journals that wait for their seal. Whoever posts one, it is here after the same commit.
CREATE TABLE unsealed (
  workspace_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  journal_id TEXT NOT NULL,
  PRIMARY KEY (workspace_id, program_id, mode, created_at, journal_id)
);
INSERT INTO unsealed (workspace_id, program_id, mode, created_at, journal_id)
  SELECT workspace_id, program_id, mode, created_at, journal_id FROM journal;
CREATE FUNCTION ledger_unsealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO unsealed (workspace_id, program_id, mode, created_at, journal_id)
    VALUES (NEW.workspace_id, NEW.program_id, NEW.mode, NEW.created_at, NEW.journal_id);
  RETURN NEW;
END $$;
CREATE TRIGGER journal_unsealed AFTER INSERT ON journal
  FOR EACH ROW EXECUTE FUNCTION ledger_unsealed();
