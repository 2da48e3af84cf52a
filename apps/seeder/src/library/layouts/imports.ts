/** What is to be fetched from elsewhere, and what became of it. Not the bytes of a source that is over. */
export const imports = `
  CREATE TABLE imports (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    token TEXT,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    options TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    attempts INTEGER NOT NULL DEFAULT 0,
    info_hash TEXT,
    error TEXT,
    bytes INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX imports_unfinished ON imports (n) WHERE state IN ('queued', 'running');
  CREATE INDEX imports_finished ON imports (changed_at, n) WHERE state NOT IN ('queued', 'running');
  CREATE INDEX imports_owner ON imports (owner, n);
  `
