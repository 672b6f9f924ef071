-- Whether customers are found by their e-mail address is a part of the dated policy: every version holds what was set until
-- now. A program that never set anything and does not match addresses gets a first version, which has no start.
ALTER TABLE policy ADD COLUMN match_email BOOLEAN NOT NULL DEFAULT TRUE;
UPDATE policy SET match_email = (SELECT p.match_email FROM program p WHERE p.workspace_id = policy.workspace_id
  AND p.program_id = policy.program_id);
INSERT INTO policy (workspace_id, program_id, version, from_ms, window_days, created_at, code_first, per_sale, match_email)
  SELECT p.workspace_id, p.program_id, 1, NULL, 30, p.created_at, FALSE, FALSE, p.match_email FROM program p
  WHERE NOT p.match_email AND NOT EXISTS (SELECT 1 FROM policy y WHERE y.workspace_id = p.workspace_id AND y.program_id = p.program_id);
ALTER TABLE program DROP COLUMN match_email;

-- A buyer may be one customer by the address, for sales of the time when addresses are matched, and another one without it.
ALTER TABLE buyer_customer ADD COLUMN by_email BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE buyer_customer SET by_email = TRUE WHERE kind = 'email';
ALTER TABLE buyer_customer DROP CONSTRAINT buyer_customer_pkey;
ALTER TABLE buyer_customer ADD PRIMARY KEY (workspace_id, connection_id, buyer_id, program_id, by_email);
ALTER TABLE erased_buyer ADD COLUMN by_email BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE erased_buyer DROP CONSTRAINT erased_buyer_pkey;
ALTER TABLE erased_buyer ADD PRIMARY KEY (workspace_id, connection_id, buyer_id, program_id, by_email);
