-- Reading goes on while it is looked whether a part may go: a reader that held the whole and waited for the part would end in a
-- deadlock. Writers wait. Nothing to do on SQLite.
CREATE OR REPLACE FUNCTION drop_payload_part(part TEXT) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
DECLARE
  kept BOOLEAN;
BEGIN
  EXECUTE format('LOCK TABLE %I IN SHARE MODE', part);
  EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I p LEFT JOIN event e ON e.workspace_id = p.workspace_id '
    'AND e.connection_id = p.connection_id AND e.event_id = p.event_id WHERE e.purged_at IS NULL)', part) INTO kept;
  IF kept THEN RETURN FALSE; END IF;
  EXECUTE format('DROP TABLE %I', part);
  RETURN TRUE;
END $$;
