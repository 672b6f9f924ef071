-- Short links: what changed since the last look, and slugs for links that were made before there were any.

ALTER TABLE referral_link ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX ix_referral_link_slug ON referral_link (workspace_id, program_id, slug);
CREATE INDEX ix_referral_link_changed ON referral_link (workspace_id, updated_at, link_id);
CREATE INDEX ix_partner_changed ON partner (workspace_id, updated_at, partner_id);

-- The key is the slug where nobody else has it; where two programs share a key the second keeps the long form.
INSERT INTO route (kind, token, workspace_id, program_id)
  SELECT 'link', key, workspace_id, program_id FROM referral_link WHERE slug = '' ORDER BY created_at, link_id
  ON CONFLICT (kind, token) DO NOTHING;
UPDATE referral_link SET slug = key WHERE slug = '' AND EXISTS (SELECT 1 FROM route r WHERE r.kind = 'link'
  AND r.token = referral_link.key AND r.workspace_id = referral_link.workspace_id
  AND r.program_id = referral_link.program_id);
