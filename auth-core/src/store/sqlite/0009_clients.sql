-- OAuth clients and what is kept of their secrets. Times are microseconds since the Unix epoch; permissions, networks and
-- grants are JSON arrays of texts, public keys a JWK set as text.
CREATE TABLE clients (
    id          TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    tenant      TEXT,
    environment TEXT,
    plan        TEXT,
    permissions TEXT    NOT NULL,
    networks    TEXT,
    grants      TEXT    NOT NULL,
    public_keys TEXT,
    status      TEXT    NOT NULL CHECK (status IN ('active', 'disabled')),
    created     INTEGER NOT NULL,
    expires     INTEGER,
    tokens_from INTEGER,
    last_used   INTEGER
) STRICT;

CREATE INDEX clients_by_age ON clients (created, id);
CREATE INDEX clients_by_tenant ON clients (tenant, created, id) WHERE tenant IS NOT NULL;

-- The secret of a client at place 0 is the current one.
CREATE TABLE client_secrets (
    client  TEXT    NOT NULL,
    place   INTEGER NOT NULL CHECK (place >= 0),
    digest  BLOB    NOT NULL CHECK (length(digest) = 32),
    pepper  TEXT    NOT NULL,
    created INTEGER NOT NULL,
    ends    INTEGER,
    PRIMARY KEY (client, place)
) STRICT, WITHOUT ROWID;
