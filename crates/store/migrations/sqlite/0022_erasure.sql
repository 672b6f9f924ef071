-- A person who was erased: a source. The customer's row stays as a number without a name, so that the books stay whole.
CREATE TABLE erasure (
  workspace_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  actor TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, customer_id)
);

-- Objects at Stripe of that person. What comes about them later is understood without anything personal, and its
-- payload is not kept.
CREATE TABLE erased_object (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  object_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, connection_id, object_id)
);

-- Which customer an erased buyer was, in each program: the evidence for it is gone.
CREATE TABLE erased_buyer (
  workspace_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  buyer_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  effective_at BIGINT NOT NULL,
  place BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, connection_id, buyer_id, program_id)
);
