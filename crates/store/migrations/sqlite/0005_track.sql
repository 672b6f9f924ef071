-- Visits, sign-ups by browser, short links, and the counters that pages read.

-- The visitor's parameter, the site's hosts (exact, or *.host), the hosts of payment pages, the zone of its dates.
ALTER TABLE program ADD COLUMN parameter TEXT NOT NULL DEFAULT 'aff';
ALTER TABLE program ADD COLUMN hosts TEXT NOT NULL DEFAULT '[]';
ALTER TABLE program ADD COLUMN payment_hosts TEXT NOT NULL DEFAULT '["buy.stripe.com"]';
ALTER TABLE program ADD COLUMN zone TEXT NOT NULL DEFAULT 'UTC';
ALTER TABLE program ADD COLUMN visits_queued BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE program ADD COLUMN setup_done_at BIGINT;
ALTER TABLE program ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;

-- The slug of the short link; empty where only the long form /r/{program}/{key} leads here.
ALTER TABLE referral_link ADD COLUMN slug TEXT NOT NULL DEFAULT '';
ALTER TABLE referral_link ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE referral_link ADD COLUMN archived_at BIGINT;
CREATE INDEX ix_referral_link_partner ON referral_link (workspace_id, partner_id, created_at);

-- Who said that this customer belongs to its partner: '' or api (a server call), browser (the script), user.
ALTER TABLE customer ADD COLUMN partner_by TEXT NOT NULL DEFAULT '';
ALTER TABLE user_account ADD COLUMN name TEXT NOT NULL DEFAULT '';

-- How a sale is attributed, dated like terms. The first version has no start.
CREATE TABLE policy (
  workspace_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  from_ms BIGINT,
  window_days BIGINT NOT NULL CHECK (window_days > 0),
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, program_id, version),
  FOREIGN KEY (workspace_id, program_id) REFERENCES program (workspace_id, program_id)
);

-- One counted arrival through a referral link: a source. visit_id is the random token that the browser carries;
-- visitor is an HMAC of the visitor's cookie or of address and browser, never an address.
CREATE TABLE visit (
  workspace_id TEXT NOT NULL,
  visit_id TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
  program_id TEXT NOT NULL,
  partner_id TEXT NOT NULL,
  link_id TEXT NOT NULL,
  visitor TEXT NOT NULL,
  via TEXT NOT NULL CHECK (via IN ('link', 'script')),
  landing TEXT NOT NULL,
  referrer TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, visit_id, at)
);
CREATE INDEX ix_visit_list ON visit (workspace_id, program_id, mode, at, visit_id);
CREATE INDEX ix_visit_partner ON visit (workspace_id, partner_id, at);

-- The last counted visit of a visitor by a link: one visit each in 30 minutes.
CREATE TABLE visitor_link (
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  link_id TEXT NOT NULL,
  visitor TEXT NOT NULL,
  visit_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, mode, link_id, visitor)
);
CREATE INDEX ix_visitor_link_at ON visitor_link (workspace_id, at);

-- A sign-up that a browser told of: evidence, never authority.
CREATE TABLE browser_signup (
  workspace_id TEXT NOT NULL,
  signup_id TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
  program_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  partner_id TEXT,
  visit_id TEXT,
  value TEXT NOT NULL,
  page TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, signup_id),
  FOREIGN KEY (workspace_id, customer_id) REFERENCES customer (workspace_id, customer_id)
);
CREATE INDEX ix_browser_signup_customer ON browser_signup (workspace_id, customer_id, at);

-- The last time that the script, a visit, a sign-up or a tagged payment of a program was seen, and where.
CREATE TABLE sighting (
  workspace_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  url TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, program_id, kind),
  FOREIGN KEY (workspace_id, program_id) REFERENCES program (workspace_id, program_id)
);

-- Counters by UTC day (days since 1970): kept in the batch that writes the rows, rebuilt from them.
-- What did not count is counted by its reason.
CREATE TABLE link_day (
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  program_id TEXT NOT NULL,
  partner_id TEXT NOT NULL,
  link_id TEXT NOT NULL,
  day BIGINT NOT NULL,
  visits BIGINT NOT NULL,
  repeats BIGINT NOT NULL,
  bots BIGINT NOT NULL,
  prefetches BIGINT NOT NULL,
  heads BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, mode, program_id, partner_id, link_id, day)
);
CREATE TABLE program_day (
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  program_id TEXT NOT NULL,
  day BIGINT NOT NULL,
  visits BIGINT NOT NULL,
  rejected BIGINT NOT NULL,
  customers BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, mode, program_id, day)
);
CREATE TABLE partner_day (
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  program_id TEXT NOT NULL,
  partner_id TEXT NOT NULL,
  day BIGINT NOT NULL,
  visits BIGINT NOT NULL,
  customers BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, mode, program_id, partner_id, day)
);
-- Money by the day of the sale. revenue is the base of the sales that earn; refunded is how many of them were
-- refunded in part or whole; gross is what was earned before refunds, target what is left of it.
CREATE TABLE program_day_money (
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  program_id TEXT NOT NULL,
  day BIGINT NOT NULL,
  currency TEXT NOT NULL,
  sales BIGINT NOT NULL,
  refunded BIGINT NOT NULL,
  revenue BIGINT NOT NULL,
  gross BIGINT NOT NULL,
  target BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, mode, program_id, currency, day)
);
CREATE TABLE partner_day_money (
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  program_id TEXT NOT NULL,
  day BIGINT NOT NULL,
  partner_id TEXT NOT NULL,
  currency TEXT NOT NULL,
  sales BIGINT NOT NULL,
  refunded BIGINT NOT NULL,
  revenue BIGINT NOT NULL,
  gross BIGINT NOT NULL,
  target BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, mode, program_id, currency, day, partner_id)
);
CREATE INDEX ix_partner_day_money ON partner_day_money (workspace_id, mode, partner_id, currency, day);
