import type { DatabaseSync } from 'node:sqlite'
import { CatalogTooNewError } from './errors.ts'
import {
  encryption,
  events,
  imports,
  media,
  publishing,
  replication,
  search,
  tokens,
  uploads,
} from './layouts/index.ts'

/**
 * Layout changes, oldest first; a catalog's `user_version` counts those it has seen. One that was released is never
 * edited.
 *
 * Metainfo lies in a table of its own rather than in files: it becomes durable in the transaction that makes the item,
 * costs no fsync, inode or sweep of its own (100,000 items), and scans of `items` never read it. The piece length
 * keeps it below 41 KB plus paths up to 32 GiB.
 */
const migrations = [
  `
  CREATE TABLE blobs (
    sha256 TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    mtime_us INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('sound', 'suspect', 'damaged'))
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE items (
    info_hash TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    piece_length INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    publisher TEXT NOT NULL,
    replicas_min INTEGER NOT NULL,
    replicas_target INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('live', 'retracted')),
    purge_after INTEGER,
    held INTEGER NOT NULL CHECK (held IN (0, 1))
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX items_newest ON items (created_at, info_hash) WHERE state = 'live' AND held = 1;
  CREATE INDEX items_content ON items (sha256, created_at);
  CREATE INDEX items_purge ON items (purge_after) WHERE state = 'retracted';
  CREATE INDEX items_lost ON items (info_hash) WHERE held = 0;

  CREATE TABLE files (
    info_hash TEXT NOT NULL REFERENCES items ON DELETE CASCADE,
    n INTEGER NOT NULL,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL REFERENCES blobs,
    type TEXT NOT NULL,
    PRIMARY KEY (info_hash, n)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX files_blob ON files (sha256);
  CREATE INDEX files_path ON files (info_hash, path);

  CREATE TABLE metainfo (
    info_hash TEXT PRIMARY KEY REFERENCES items ON DELETE CASCADE,
    bytes BLOB NOT NULL
  ) STRICT;

  CREATE TABLE totals (items INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO totals VALUES (0, 0);
  CREATE TRIGGER blob_added AFTER INSERT ON blobs BEGIN
    UPDATE totals SET bytes = bytes + new.size;
  END;
  CREATE TRIGGER blob_removed AFTER DELETE ON blobs BEGIN
    UPDATE totals SET bytes = bytes - old.size;
  END;
  CREATE TRIGGER item_added AFTER INSERT ON items BEGIN
    UPDATE totals SET items = items + (new.state = 'live' AND new.held);
  END;
  CREATE TRIGGER item_removed AFTER DELETE ON items BEGIN
    UPDATE totals SET items = items - (old.state = 'live' AND old.held);
  END;
  CREATE TRIGGER item_changed AFTER UPDATE OF state, held ON items BEGIN
    UPDATE totals
    SET items = items + (new.state = 'live' AND new.held) - (old.state = 'live' AND old.held);
  END;
  `,
  `
  CREATE TABLE refusals (
    info_hash TEXT PRIMARY KEY,
    until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX refusals_until ON refusals (until);
  `,
  // Of blobs from before, only size and time are known: the rest of the print is learned when they are next compared.
  `
  ALTER TABLE blobs ADD COLUMN ctime_us INTEGER;
  ALTER TABLE blobs ADD COLUMN inode INTEGER;
  ALTER TABLE blobs ADD COLUMN written_at INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE blobs ADD COLUMN verified_at INTEGER NOT NULL DEFAULT 0;
  UPDATE blobs SET written_at = max(mtime_us / 1000, 0), verified_at = max(mtime_us / 1000, 0);
  CREATE INDEX blobs_written ON blobs (written_at);

  CREATE TABLE piece_times (
    info_hash TEXT PRIMARY KEY REFERENCES items ON DELETE CASCADE,
    verified_at BLOB NOT NULL
  ) STRICT;

  CREATE TABLE bad_pieces (
    sha256 TEXT NOT NULL REFERENCES blobs ON DELETE CASCADE,
    info_hash TEXT NOT NULL REFERENCES items ON DELETE CASCADE,
    piece INTEGER NOT NULL,
    PRIMARY KEY (sha256, info_hash, piece)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX bad_pieces_item ON bad_pieces (info_hash, piece);

  CREATE TABLE library (
    id TEXT NOT NULL,
    marked INTEGER NOT NULL CHECK (marked IN (0, 1)),
    clean INTEGER NOT NULL CHECK (clean IN (0, 1)),
    alive_at INTEGER NOT NULL
  ) STRICT;
  INSERT INTO library VALUES (lower(hex(randomblob(16))), 0, 0, unixepoch() * 1000);
  `,
  // No reference to the items: what is on its way here can be paused too.
  `
  CREATE TABLE controls (
    info_hash TEXT PRIMARY KEY,
    paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
    upload_limit INTEGER CHECK (upload_limit >= 0),
    download_limit INTEGER CHECK (download_limit >= 0)
  ) STRICT, WITHOUT ROWID;
  `,
  publishing,
  tokens,
  uploads,
  search,
  events,
  encryption,
  imports,
  media,
  replication,
]

/** Brings the catalog to the newest layout, or to `layout`, each step in its own transaction. @throws CatalogTooNewError */
export function migrate(db: DatabaseSync, path: string, layout = migrations.length): void {
  const row = db.prepare('PRAGMA user_version').get()
  const version = Number(row?.['user_version'])
  if (version > migrations.length) throw new CatalogTooNewError(path, version, migrations.length)
  for (const [step, sql] of migrations.entries()) {
    if (step < version || step >= layout) continue
    db.exec(`BEGIN IMMEDIATE; ${sql}; PRAGMA user_version = ${step + 1}; COMMIT`)
  }
}
