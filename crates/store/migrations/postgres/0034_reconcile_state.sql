-- What Stripe says an object came to, where its amount does not show it: open, lost or over for a dispute.
ALTER TABLE reconcile_item ADD COLUMN state TEXT NOT NULL DEFAULT '';
