-- What is held, summed by program, currency and partner from the index alone: the Overview and the list of partners
-- read it with every page.
DROP INDEX ix_commission_hold;
CREATE INDEX ix_commission_hold ON commission
  (workspace_id, payable_at, mode, program_id, currency, partner_id, target, matured_at)
  WHERE matured_at IS NULL AND target > 0;
