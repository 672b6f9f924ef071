-- What a key opens: the REST API of its program, or only what the app in Stripe's Dashboard shows, of all programs of the
-- workspace. The second kind is found by a route of its own, so that it opens nothing else.
ALTER TABLE api_key ADD COLUMN scope TEXT NOT NULL DEFAULT 'program';
