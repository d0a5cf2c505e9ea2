-- What is taken back, in the order in which it was. Times are microseconds since the Unix epoch. Numbers are never used
-- twice, and writers take turns, so that whoever reads on from a number misses nothing.
CREATE TABLE revocations (
    mark          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind          TEXT    NOT NULL CHECK (kind IN ('credential', 'session', 'subject', 'tenant', 'issuer', 'all')),
    issuer        TEXT,
    name          TEXT,
    issued_before INTEGER,
    until         INTEGER NOT NULL,
    CHECK ((issuer IS NULL) = (kind IN ('tenant', 'all'))),
    CHECK ((name IS NULL) = (kind IN ('issuer', 'all')))
) STRICT;

CREATE INDEX revocations_by_end ON revocations (until);
