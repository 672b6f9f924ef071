-- Which tables of another database were copied into this one. While the row '*' is there, the copy is not complete and
-- nothing may serve from here. The workspace is empty: a copy is of the whole installation.
CREATE TABLE copy_state (
  workspace_id TEXT NOT NULL,
  name TEXT NOT NULL,
  what TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, name)
);
