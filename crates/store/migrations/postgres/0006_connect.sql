-- What the last look at a connection's key found: a JSON array of {"permission", "ok"}, and when.
ALTER TABLE connection ADD COLUMN permissions TEXT NOT NULL DEFAULT '[]';
ALTER TABLE connection ADD COLUMN checked_at BIGINT;
