-- Raw payloads may be purged by age: then what was understood of them stays. When that was, ms UTC.
ALTER TABLE event ADD COLUMN purged_at BIGINT;
ALTER TABLE observation ADD COLUMN purged_at BIGINT;

-- The same key as on PostgreSQL, where the table has parts by the event's own time. The key alone says how old a payload is.
ALTER TABLE event_payload RENAME TO event_payload_old;
CREATE TABLE event_payload (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (workspace_id, connection_id, event_id, created_at)
);
INSERT INTO event_payload (workspace_id, connection_id, event_id, created_at, body)
  SELECT workspace_id, connection_id, event_id, created_at, body FROM event_payload_old;
DROP TABLE event_payload_old;
