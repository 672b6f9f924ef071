-- Why something was decided, and for a customer since when (ms UTC; none = for all sales). An attribute decision's value is
-- the partner, '' for nobody, '*' for whatever the evidence says. A decision on a customer has the connection
-- 'customer:' || program and the customer's key as its subject.
ALTER TABLE decision ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE decision ADD COLUMN from_ms BIGINT;

-- Who changed what, in words that stay true: what it was and what it became. The program is '' where it holds for all.
-- Lines are never taken away, but for those about wiped test data. Only what an erased person may be known by is changed: the subject and the reason.
CREATE TABLE audit (
  workspace_id TEXT NOT NULL,
  audit_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  was TEXT NOT NULL,
  became TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (workspace_id, audit_id)
);
CREATE INDEX ix_audit_list ON audit (workspace_id, program_id, at, audit_id);
CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND OLD.mode = 'test' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'the audit log is append-only: % is refused', TG_OP;
END $$;
CREATE TRIGGER audit_append_only BEFORE DELETE OR UPDATE OF workspace_id, audit_id, program_id, mode, at, actor, action, was, became ON audit
  FOR EACH ROW EXECUTE FUNCTION audit_append_only();
