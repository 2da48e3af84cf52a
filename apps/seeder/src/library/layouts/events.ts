/**
 * What happened, for those who listen or ask later; whether each live item published here has its copies; and who is told by
 * webhooks: `position` is the last event taken for one, and what it did not take well waits in `deliveries`.
 */
export const events = `
  CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    info_hash TEXT,
    owner TEXT NOT NULL,
    access TEXT NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL
  ) STRICT;

  CREATE TABLE copies (
    info_hash TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    min INTEGER NOT NULL,
    target INTEGER NOT NULL,
    owner TEXT NOT NULL,
    access TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    everything INTEGER NOT NULL CHECK (everything IN (0, 1)),
    url TEXT NOT NULL,
    types TEXT NOT NULL,
    label TEXT NOT NULL,
    secret TEXT NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    created_at INTEGER NOT NULL,
    position INTEGER NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0,
    given_up INTEGER NOT NULL DEFAULT 0,
    last_at INTEGER,
    last_outcome TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX webhooks_owner ON webhooks (owner);

  CREATE TABLE deliveries (
    webhook TEXT NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    event INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    PRIMARY KEY (webhook, event)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX deliveries_due ON deliveries (webhook, next_at);
  `
