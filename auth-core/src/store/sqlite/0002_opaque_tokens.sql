-- Opaque tokens and sessions. Times and limits are microseconds; permissions, roles and scopes are JSON arrays of texts.
CREATE TABLE opaque_tokens (
    id          TEXT    NOT NULL PRIMARY KEY,
    digest      BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    pepper      TEXT    NOT NULL,
    issuer      TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    tenant      TEXT,
    plan        TEXT,
    permissions TEXT    NOT NULL,
    roles       TEXT    NOT NULL,
    scopes      TEXT    NOT NULL,
    session     TEXT,
    created     INTEGER NOT NULL,
    ends        INTEGER NOT NULL,
    idle_limit  INTEGER CHECK (idle_limit > 0),
    last_seen   INTEGER NOT NULL,
    status      TEXT    NOT NULL CHECK (status IN ('active', 'revoked'))
) STRICT;

CREATE INDEX opaque_tokens_by_subject ON opaque_tokens (issuer, subject);
CREATE INDEX opaque_tokens_by_session ON opaque_tokens (issuer, session) WHERE session IS NOT NULL;
CREATE INDEX opaque_tokens_by_end ON opaque_tokens (min(ends, coalesce(last_seen + idle_limit, ends)));

-- As for API keys. Uses are no change here either: who finds a token ended unused reads its row once more.
CREATE TABLE opaque_token_changes (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    token_id TEXT NOT NULL
) STRICT;

CREATE TRIGGER opaque_token_added AFTER INSERT ON opaque_tokens
BEGIN
    INSERT INTO opaque_token_changes (token_id) VALUES (new.id);
END;

CREATE TRIGGER opaque_token_changed
AFTER UPDATE OF id, digest, pepper, issuer, subject, tenant, plan, permissions, roles, scopes, session, created, ends,
    idle_limit, status ON opaque_tokens
BEGIN
    INSERT INTO opaque_token_changes (token_id) SELECT old.id UNION SELECT new.id;
END;

CREATE TRIGGER opaque_token_removed AFTER DELETE ON opaque_tokens
BEGIN
    INSERT INTO opaque_token_changes (token_id) VALUES (old.id);
END;

CREATE TRIGGER opaque_token_changes_pruned AFTER INSERT ON opaque_token_changes WHEN new.revision % 1000 = 0
BEGIN
    DELETE FROM opaque_token_changes WHERE revision <= new.revision - 10000;
END;
