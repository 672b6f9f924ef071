-- The ledger is append-only: UPDATE is refused always, DELETE unless the row's mode is test.
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a journal is never changed'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal WHEN OLD.mode <> 'test'
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a live journal is never deleted'); END;
CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: an entry is never changed'); END;
CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry WHEN OLD.mode <> 'test'
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a live entry is never deleted'); END;
