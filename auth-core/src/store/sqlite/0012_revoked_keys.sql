-- Since when a key is known to be revoked, so that its record can be removed some time later. Nothing is decided on it, so
-- that it is no change that others have to take up.
ALTER TABLE api_keys ADD COLUMN revoked INTEGER;

CREATE INDEX api_keys_revoked ON api_keys (revoked) WHERE status = 'revoked';
