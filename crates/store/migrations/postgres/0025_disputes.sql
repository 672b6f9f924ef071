-- What disputes took and may yet take of a sale, and what only some terms look at.
ALTER TABLE sale ADD COLUMN lost BIGINT NOT NULL DEFAULT 0 CHECK (lost >= 0 AND refunded + lost <= captured);
ALTER TABLE sale ADD COLUMN disputed BIGINT NOT NULL DEFAULT 0 CHECK (disputed >= 0);
ALTER TABLE sale ADD COLUMN detail TEXT NOT NULL DEFAULT '{}';
-- While a dispute is open, nothing leaves its hold.
ALTER TABLE commission ADD COLUMN held BOOLEAN NOT NULL DEFAULT FALSE;
