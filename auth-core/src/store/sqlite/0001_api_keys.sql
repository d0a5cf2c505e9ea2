-- API keys. Times are microseconds since the Unix epoch; permissions, roles and networks are JSON arrays of texts.
CREATE TABLE api_keys (
    id           TEXT    NOT NULL PRIMARY KEY,
    digest       BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    pepper       TEXT    NOT NULL,
    shown        TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    description  TEXT,
    issuer       TEXT    NOT NULL,
    owner        TEXT    NOT NULL,
    tenant       TEXT,
    plan         TEXT,
    environment  TEXT,
    permissions  TEXT    NOT NULL,
    roles        TEXT    NOT NULL,
    networks     TEXT,
    created      INTEGER NOT NULL,
    expires      INTEGER,
    status       TEXT    NOT NULL CHECK (status IN ('active', 'disabled', 'revoked')),
    last_used    INTEGER,
    rotated_from TEXT,
    successor    TEXT,
    overlap_end  INTEGER,
    CHECK ((successor IS NULL) = (overlap_end IS NULL))
) STRICT;

CREATE INDEX api_keys_by_owner ON api_keys (issuer, owner);
CREATE INDEX api_keys_by_tenant ON api_keys (tenant) WHERE tenant IS NOT NULL;

-- Which keys changed, in order. Every process that keeps keys in memory reads from where it stopped. Triggers fill it,
-- so that a change made by hand is noticed as well. Uses are no change: nothing is decided on them.
CREATE TABLE api_key_changes (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    key_id   TEXT NOT NULL
) STRICT;

CREATE TRIGGER api_key_added AFTER INSERT ON api_keys
BEGIN
    INSERT INTO api_key_changes (key_id) VALUES (new.id);
END;

CREATE TRIGGER api_key_changed
AFTER UPDATE OF id, digest, pepper, shown, name, description, issuer, owner, tenant, plan, environment, permissions,
    roles, networks, created, expires, status, rotated_from, successor, overlap_end ON api_keys
BEGIN
    INSERT INTO api_key_changes (key_id) SELECT old.id UNION SELECT new.id;
END;

CREATE TRIGGER api_key_removed AFTER DELETE ON api_keys
BEGIN
    INSERT INTO api_key_changes (key_id) VALUES (old.id);
END;

-- Whoever is further behind than the rows that are left reads everything anew.
CREATE TRIGGER api_key_changes_pruned AFTER INSERT ON api_key_changes WHEN new.revision % 1000 = 0
BEGIN
    DELETE FROM api_key_changes WHERE revision <= new.revision - 10000;
END;
