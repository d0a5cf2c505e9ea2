-- The OAuth client that holds a session, where it is one.
ALTER TABLE account_sessions ADD COLUMN client TEXT;
