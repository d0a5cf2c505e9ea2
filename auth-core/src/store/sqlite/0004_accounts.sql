-- Accounts, their sessions and their tenants. Times and limits are microseconds since the Unix epoch; permissions, roles,
-- networks and hashes of recent passwords are JSON arrays of texts.
CREATE TABLE accounts (
    id               TEXT    NOT NULL PRIMARY KEY,
    email            TEXT,
    user_name        TEXT,
    name             TEXT,
    tenant           TEXT,
    plan             TEXT,
    kind             TEXT,
    roles            TEXT    NOT NULL,
    permissions      TEXT    NOT NULL,
    networks         TEXT,
    status           TEXT    NOT NULL CHECK (status IN ('active', 'disabled')),
    email_verified   INTEGER,
    password         TEXT,
    recent_passwords TEXT    NOT NULL,
    generation       INTEGER NOT NULL CHECK (generation >= 0),
    factor           TEXT    NOT NULL CHECK (factor IN ('none', 'enrolling', 'confirmed')),
    factor_secret    BLOB,
    factor_since     INTEGER,
    factor_step      INTEGER CHECK (factor_step >= 0),
    recovery         BLOB    CHECK (length(recovery) % 32 = 0),
    created          INTEGER NOT NULL,
    password_changed INTEGER,
    last_login       INTEGER,
    CHECK ((factor_secret IS NULL) = (factor = 'none')),
    CHECK ((factor_since IS NULL) = (factor <> 'enrolling')),
    CHECK ((factor_step IS NULL) = (factor <> 'confirmed')),
    CHECK ((recovery IS NULL) = (factor <> 'confirmed'))
) STRICT;

CREATE INDEX accounts_by_age ON accounts (created, id);
CREATE INDEX accounts_by_tenant ON accounts (tenant, created, id) WHERE tenant IS NOT NULL;

-- Addresses and user names in folded form: each is one account's.
CREATE TABLE login_names (
    folded  TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX login_names_by_account ON login_names (account);

-- Networks that a login succeeded from.
CREATE TABLE login_sources (
    account TEXT    NOT NULL,
    source  TEXT    NOT NULL,
    seen    INTEGER NOT NULL,
    PRIMARY KEY (account, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE account_sessions (
    id         TEXT    NOT NULL PRIMARY KEY,
    account    TEXT    NOT NULL,
    generation INTEGER NOT NULL CHECK (generation >= 0),
    key        TEXT,
    permissions TEXT,
    created    INTEGER NOT NULL,
    ends       INTEGER NOT NULL,
    idle_limit INTEGER CHECK (idle_limit >= 0),
    last_used  INTEGER NOT NULL,
    ended      INTEGER
) STRICT;

CREATE INDEX account_sessions_by_account ON account_sessions (account, created, id);
CREATE INDEX account_sessions_by_end ON account_sessions (ends);
CREATE INDEX account_sessions_by_ending ON account_sessions (ended, id) WHERE ended IS NOT NULL;

-- Every refresh token that is or was in force: a session has at most one that is.
CREATE TABLE refresh_tokens (
    digest    BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    pepper    TEXT    NOT NULL,
    session   TEXT    NOT NULL,
    spent     INTEGER,
    successor BLOB    CHECK (length(successor) = 32),
    CHECK ((spent IS NULL) = (successor IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session);
CREATE UNIQUE INDEX refresh_tokens_in_force ON refresh_tokens (session) WHERE spent IS NULL;

CREATE TABLE tenants (
    id       TEXT    NOT NULL PRIMARY KEY,
    name     TEXT    NOT NULL,
    plan     TEXT,
    networks TEXT,
    status   TEXT    NOT NULL CHECK (status IN ('active', 'disabled')),
    created  INTEGER NOT NULL
) STRICT;

CREATE INDEX tenants_by_age ON tenants (created, id);
