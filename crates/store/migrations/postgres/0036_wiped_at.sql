-- When the test data of a connection was wiped for the last time, ms UTC: what was asked of Stripe before it, or read from the
-- inbox, must not be written after it.
ALTER TABLE connection ADD COLUMN wiped_at BIGINT NOT NULL DEFAULT 0;
