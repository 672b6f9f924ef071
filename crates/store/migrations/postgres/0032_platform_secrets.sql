-- TRUE: the secret signs for a platform's endpoint, which tells of all its accounts; FALSE: for one of the account itself. Both may
-- be good at once while an account goes from one way of connecting to another.
ALTER TABLE connection_secret ADD COLUMN platform BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE connection_secret SET platform = TRUE WHERE EXISTS (SELECT 1 FROM connection c
  WHERE c.workspace_id = connection_secret.workspace_id AND c.connection_id = connection_secret.connection_id AND c.auth = 'connect');
