-- When a customer was archived: JSON list of [from, to] in ms UTC, the last one open where it is archived now. Sales dated in
-- it earn nothing.
ALTER TABLE customer ADD COLUMN archived TEXT NOT NULL DEFAULT '[]';
-- It never was the partner alone that must be compared, but what fixes it and from when.
ALTER TABLE scope RENAME COLUMN partner_id TO fixed_by;
