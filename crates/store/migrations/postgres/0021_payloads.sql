-- Raw payloads may be purged by age: then what was understood of them stays. When that was, ms UTC.
ALTER TABLE event ADD COLUMN purged_at BIGINT;
ALTER TABLE observation ADD COLUMN purged_at BIGINT;

-- Raw events lie in monthly parts by the event's own time, so that a month goes as a whole. Parts are made ahead by a
-- job; strays go to the default part.
ALTER TABLE event_payload RENAME TO event_payload_old;
ALTER INDEX event_payload_pkey RENAME TO event_payload_old_pkey;
CREATE TABLE event_payload (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  body BYTEA COMPRESSION lz4 NOT NULL,
  PRIMARY KEY (workspace_id, connection_id, event_id, created_at)
) PARTITION BY RANGE (created_at);
CREATE TABLE event_payload_default PARTITION OF event_payload DEFAULT;

-- A name cannot be a parameter, so functions make and drop a part: from_ms <= created_at < to_ms.
CREATE FUNCTION make_payload_part(part TEXT, from_ms BIGINT, to_ms BIGINT) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
BEGIN
  IF to_regclass(part) IS NOT NULL THEN RETURN FALSE; END IF;
  EXECUTE format('CREATE TABLE %I PARTITION OF event_payload FOR VALUES FROM (%s) TO (%s)', part, from_ms, to_ms);
  RETURN TRUE;
END $$;

-- Drops a part whose events are all marked as purged; FALSE if one is not.
CREATE FUNCTION drop_payload_part(part TEXT) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
DECLARE
  kept BOOLEAN;
BEGIN
  EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', part);
  EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I p LEFT JOIN event e ON e.workspace_id = p.workspace_id '
    'AND e.connection_id = p.connection_id AND e.event_id = p.event_id WHERE e.purged_at IS NULL)', part) INTO kept;
  IF kept THEN RETURN FALSE; END IF;
  EXECUTE format('DROP TABLE %I', part);
  RETURN TRUE;
END $$;

-- What is there moves into parts of its own months, five years back at most; older ones go to the default part.
DO $$
DECLARE
  month DATE;
  last DATE;
BEGIN
  SELECT CAST(date_trunc('month', to_timestamp(MIN(created_at) / 1000) AT TIME ZONE 'UTC') AS DATE),
    CAST(date_trunc('month', to_timestamp(MAX(created_at) / 1000) AT TIME ZONE 'UTC') AS DATE)
    INTO month, last FROM event_payload_old;
  month := GREATEST(month, CAST(last - INTERVAL '5 years' AS DATE));
  WHILE month <= last LOOP
    PERFORM make_payload_part('event_payload_' || to_char(month, 'YYYY_MM'),
      CAST(EXTRACT(EPOCH FROM month) AS BIGINT) * 1000,
      CAST(EXTRACT(EPOCH FROM CAST(month + INTERVAL '1 month' AS DATE)) AS BIGINT) * 1000);
    month := CAST(month + INTERVAL '1 month' AS DATE);
  END LOOP;
END $$;
INSERT INTO event_payload (workspace_id, connection_id, event_id, created_at, body)
  SELECT workspace_id, connection_id, event_id, created_at, body FROM event_payload_old;
DROP TABLE event_payload_old;
