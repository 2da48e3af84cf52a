/**
 * Bytes of small blobs whose files may not have reached the disk yet; uploads that may be resumed, by how much of them is safely on disk; answers that are given again for the same
 * Idempotency-Key. `id` of an answer is a digest, and `box` is encrypted with what only the holder of the key knows.
 */
export const uploads = `
  CREATE TABLE small_blobs (
    sha256 TEXT PRIMARY KEY REFERENCES blobs ON DELETE CASCADE,
    bytes BLOB NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX small_blobs_age ON small_blobs (at);
  CREATE TABLE small_blob_totals (bytes INTEGER NOT NULL) STRICT;
  INSERT INTO small_blob_totals VALUES (0);
  CREATE TRIGGER small_blob_added AFTER INSERT ON small_blobs BEGIN
    UPDATE small_blob_totals SET bytes = bytes + length(new.bytes);
  END;
  CREATE TRIGGER small_blob_removed AFTER DELETE ON small_blobs BEGIN
    UPDATE small_blob_totals SET bytes = bytes - length(old.bytes);
  END;

  CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    token TEXT,
    size INTEGER,
    received INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    wanted TEXT NOT NULL,
    secret BLOB,
    changed_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('receiving', 'published', 'failed')),
    info_hash TEXT,
    error TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX uploads_changed ON uploads (changed_at);
  CREATE INDEX uploads_owner ON uploads (owner, state);
  CREATE INDEX uploads_token ON uploads (token) WHERE token IS NOT NULL;
  CREATE INDEX uploads_complete ON uploads (id) WHERE state = 'receiving' AND received = size;

  CREATE TABLE answers (
    n INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    request BLOB NOT NULL,
    box BLOB NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX answers_expiry ON answers (expires_at);
  CREATE TABLE answer_totals (answers INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO answer_totals VALUES (0, 0);
  CREATE TRIGGER answer_added AFTER INSERT ON answers BEGIN
    UPDATE answer_totals SET answers = answers + 1, bytes = bytes + length(new.box);
  END;
  CREATE TRIGGER answer_changed AFTER UPDATE OF box ON answers BEGIN
    UPDATE answer_totals SET bytes = bytes + length(new.box) - length(old.box);
  END;
  CREATE TRIGGER answer_removed AFTER DELETE ON answers BEGIN
    UPDATE answer_totals SET answers = answers - 1, bytes = bytes - length(old.box);
  END;
  `
