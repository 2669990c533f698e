-- What people made, and what the outbox still owes. Times are microseconds UTC.
CREATE TABLE users (
    name     TEXT PRIMARY KEY,
    hash     TEXT NOT NULL,
    created  INTEGER NOT NULL
) STRICT;

-- Only the SHA-256 of a session's token is kept.
CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY,
    user       TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    created    INTEGER NOT NULL,
    expires    INTEGER NOT NULL
) STRICT;

-- The one-use setup link.
CREATE TABLE setup (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    token_hash BLOB NOT NULL,
    expires    INTEGER NOT NULL
) STRICT;

-- A view of `self` records of kind finding, with what people said of them. `body` is the alert with what the book must remember.
CREATE TABLE alerts (
    id        TEXT PRIMARY KEY,
    state     TEXT NOT NULL,
    severity  TEXT NOT NULL,
    rule      TEXT NOT NULL,
    updated   INTEGER NOT NULL,
    last_time INTEGER NOT NULL,
    body      TEXT NOT NULL
) STRICT;
CREATE INDEX alerts_by_time ON alerts (last_time DESC, id);
CREATE INDEX alerts_by_state ON alerts (state, last_time DESC);
CREATE INDEX alerts_by_rule ON alerts (rule, last_time DESC);

-- One row a notification: at least once, with the same id on every attempt.
CREATE TABLE outbox (
    id       INTEGER PRIMARY KEY,
    channel  TEXT NOT NULL,
    alert    TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body     TEXT NOT NULL,
    state    TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due      INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    error    TEXT,
    UNIQUE (channel, alert, revision)
) STRICT;
CREATE INDEX outbox_due ON outbox (state, due);
