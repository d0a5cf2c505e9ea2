-- The networks that the owner of a key and its tenants allow: beside the key's own, so that neither list overwrites the other.
ALTER TABLE api_keys ADD COLUMN owner_networks TEXT;

CREATE TRIGGER api_key_bound AFTER UPDATE OF owner_networks ON api_keys
BEGIN
    INSERT INTO api_key_changes (key_id) VALUES (new.id);
END;
