CREATE TABLE account (
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
  currency TEXT NOT NULL,
  account_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('expense', 'pending', 'payable')),
  program_id TEXT NOT NULL,
  partner_id TEXT,
  PRIMARY KEY (workspace_id, mode, currency, account_id),
  FOREIGN KEY (workspace_id, program_id) REFERENCES program (workspace_id, program_id)
);

-- Append-only. A correction is a new journal of the same commission with the next number.
CREATE TABLE journal (
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
  currency TEXT NOT NULL,
  journal_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  commission_id TEXT NOT NULL,
  seq BIGINT NOT NULL CHECK (seq > 0),
  kind TEXT NOT NULL CHECK (kind IN ('settled', 'matured')),
  reason TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  seal TEXT NOT NULL,
  PRIMARY KEY (workspace_id, journal_id),
  UNIQUE (workspace_id, commission_id, seq),
  UNIQUE (workspace_id, mode, currency, journal_id),
  FOREIGN KEY (workspace_id, mode, currency, commission_id)
    REFERENCES commission (workspace_id, mode, currency, commission_id)
);
CREATE UNIQUE INDEX ix_journal_matured ON journal (workspace_id, commission_id) WHERE kind = 'matured';

-- Balanced by construction: one amount from one account to another of the same workspace, mode and currency.
CREATE TABLE entry (
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('test', 'live')),
  currency TEXT NOT NULL,
  journal_id TEXT NOT NULL,
  line BIGINT NOT NULL CHECK (line > 0),
  debit_account TEXT NOT NULL,
  credit_account TEXT NOT NULL,
  amount BIGINT NOT NULL CHECK (amount > 0),
  PRIMARY KEY (workspace_id, journal_id, line),
  CHECK (debit_account <> credit_account),
  FOREIGN KEY (workspace_id, mode, currency, journal_id)
    REFERENCES journal (workspace_id, mode, currency, journal_id),
  FOREIGN KEY (workspace_id, mode, currency, debit_account)
    REFERENCES account (workspace_id, mode, currency, account_id),
  FOREIGN KEY (workspace_id, mode, currency, credit_account)
    REFERENCES account (workspace_id, mode, currency, account_id)
);
CREATE INDEX ix_entry_debit ON entry (workspace_id, mode, currency, debit_account);
CREATE INDEX ix_entry_credit ON entry (workspace_id, mode, currency, credit_account);
