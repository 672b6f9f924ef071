-- Promotion codes of partners, and how a code stands against a link.

ALTER TABLE policy ADD COLUMN code_first BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE policy ADD COLUMN per_sale BOOLEAN NOT NULL DEFAULT FALSE;

-- Who owns a code, by its text (capital letters) or its id at Stripe, or both; '' where one is not known. Dated: a code that
-- was taken away keeps what it brought. The first owner has no start. A source.
CREATE TABLE partner_code (
  workspace_id TEXT NOT NULL,
  code_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  partner_id TEXT NOT NULL,
  code TEXT NOT NULL,
  promo_id TEXT NOT NULL,
  from_ms BIGINT,
  until_ms BIGINT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, code_id),
  CHECK (code <> '' OR promo_id <> ''),
  FOREIGN KEY (workspace_id, partner_id) REFERENCES partner (workspace_id, partner_id)
);
CREATE UNIQUE INDEX ix_partner_code_text ON partner_code (workspace_id, program_id, code)
  WHERE until_ms IS NULL AND code <> '';
CREATE UNIQUE INDEX ix_partner_code_promo ON partner_code (workspace_id, program_id, promo_id)
  WHERE until_ms IS NULL AND promo_id <> '';
CREATE INDEX ix_partner_code_partner ON partner_code (workspace_id, partner_id, created_at);

-- Which text a promotion code's id stands for, as Stripe said; '' where Stripe has no such code. Derived.
CREATE TABLE code_name (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  promo_id TEXT NOT NULL,
  code TEXT NOT NULL,
  PRIMARY KEY (workspace_id, connection_id, promo_id)
);
CREATE INDEX ix_code_name ON code_name (workspace_id, code);
