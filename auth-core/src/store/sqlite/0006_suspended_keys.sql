-- Keys whose owner or tenant is switched off: a mark beside the status, so that what was switched off by itself stays so
-- when the owner comes back.
ALTER TABLE api_keys ADD COLUMN suspended INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1));

CREATE TRIGGER api_key_suspended AFTER UPDATE OF suspended ON api_keys
BEGIN
    INSERT INTO api_key_changes (key_id) VALUES (new.id);
END;
