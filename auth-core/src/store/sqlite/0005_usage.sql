-- Requests by credential, hour and status. Hours are microseconds since the Unix epoch at which they begin.
CREATE TABLE usage (
    credential TEXT    NOT NULL,
    hour       INTEGER NOT NULL,
    status     INTEGER NOT NULL,
    requests   INTEGER NOT NULL CHECK (requests >= 0),
    PRIMARY KEY (credential, hour, status)
) STRICT, WITHOUT ROWID;

CREATE INDEX usage_by_hour ON usage (hour);
