-- What Stripe says an object came to, where its amount does not show it: open, lost or over for a dispute. And who paid it by
-- what, to be asked for beside an object that is missing here.
ALTER TABLE reconcile_item ADD COLUMN state TEXT NOT NULL DEFAULT '';
ALTER TABLE reconcile_item ADD COLUMN customer TEXT NOT NULL DEFAULT '';
ALTER TABLE reconcile_item ADD COLUMN payment_intent TEXT NOT NULL DEFAULT '';
