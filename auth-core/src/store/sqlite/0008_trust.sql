-- Partners whose assertions are taken. No tenant means every account.
CREATE TABLE trusts (
    id      TEXT    NOT NULL PRIMARY KEY,
    issuer  TEXT    NOT NULL UNIQUE,
    name    TEXT,
    keys    TEXT    NOT NULL,
    tenant  TEXT,
    status  TEXT    NOT NULL CHECK (status IN ('active', 'disabled')),
    created INTEGER NOT NULL
) STRICT;

-- What was used and may not be used again, by digest. Times are microseconds since the Unix epoch.
CREATE TABLE used_once (
    key   BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX used_once_by_end ON used_once (until);
