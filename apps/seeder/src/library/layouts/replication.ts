/** Copies that are to be made here, and since when the node gives away all that it has. */
export const replication = `
  CREATE TABLE jobs (
    info_hash TEXT PRIMARY KEY,
    lane TEXT NOT NULL CHECK (lane IN ('new', 'repair')),
    added_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    code TEXT,
    detail TEXT
  ) STRICT, WITHOUT ROWID;

  ALTER TABLE library ADD COLUMN draining_since INTEGER;
  `
