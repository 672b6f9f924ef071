-- When a connection fed a program: a source. A sale belongs to no program that was not fed when it happened. The first span
-- has no start (0), for history is read too; the last has no end. connection_program says which are fed now.
CREATE TABLE feed_span (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  from_ms BIGINT NOT NULL,
  until_ms BIGINT,
  PRIMARY KEY (workspace_id, connection_id, program_id, from_ms),
  FOREIGN KEY (workspace_id, connection_id) REFERENCES connection (workspace_id, connection_id),
  FOREIGN KEY (workspace_id, program_id) REFERENCES program (workspace_id, program_id)
);
CREATE INDEX ix_feed_span ON feed_span (workspace_id, program_id);
INSERT INTO feed_span (workspace_id, connection_id, program_id, from_ms, until_ms)
  SELECT workspace_id, connection_id, program_id, 0, NULL FROM connection_program;

-- Nobody wrote down when a program was let go: it keeps the sales that it has, to the last of them.
INSERT INTO feed_span (workspace_id, connection_id, program_id, from_ms, until_ms)
  SELECT s.workspace_id, s.connection_id, s.program_id, 0, MAX(s.occurred_at) + 1 FROM sale s
  JOIN connection c ON c.workspace_id = s.workspace_id AND c.connection_id = s.connection_id
  WHERE s.program_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM connection_program cp
  WHERE cp.workspace_id = s.workspace_id AND cp.connection_id = s.connection_id AND cp.program_id = s.program_id)
  GROUP BY s.workspace_id, s.connection_id, s.program_id;
