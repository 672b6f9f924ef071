-- How often the test data of a connection were wiped: what was read of it, or asked of Stripe, before the last time must not be
-- written after it.
ALTER TABLE connection ADD COLUMN wiped BIGINT NOT NULL DEFAULT 0;
