-- Money by partner and month (months since January 1970, UTC): who brought most in a year is read from twelve rows a
-- partner instead of 365.
CREATE TABLE partner_month_money (
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  program_id TEXT NOT NULL,
  month BIGINT NOT NULL,
  partner_id TEXT NOT NULL,
  currency TEXT NOT NULL,
  sales BIGINT NOT NULL,
  refunded BIGINT NOT NULL,
  revenue BIGINT NOT NULL,
  gross BIGINT NOT NULL,
  target BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, mode, program_id, currency, month, partner_id)
);
INSERT INTO partner_month_money (workspace_id, mode, program_id, month, partner_id, currency, sales, refunded, revenue,
    gross, target)
  SELECT workspace_id, mode, program_id, month, partner_id, currency, SUM(sales), SUM(refunded), SUM(revenue),
    SUM(gross), SUM(target)
  FROM (SELECT workspace_id, mode, program_id, partner_id, currency, sales, refunded, revenue, gross, target,
      ((100 * ((4 * (day + 719468) + 3) / 146097) + (4 * (((4 * (day + 719468) + 3) % 146097) / 4) + 3) / 1461) * 12
      + (5 * (((4 * (((4 * (day + 719468) + 3) % 146097) / 4) + 3) % 1461) / 4) + 2) / 153 - 23638) AS month
    FROM partner_day_money) AS t
  GROUP BY workspace_id, mode, program_id, month, partner_id, currency;
