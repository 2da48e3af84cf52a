/** Whose an item is, who may see it, and what is said of it. */
export const publishing = `
  ALTER TABLE items ADD COLUMN owner TEXT NOT NULL DEFAULT '';
  ALTER TABLE items ADD COLUMN access TEXT NOT NULL DEFAULT 'public'
    CHECK (access IN ('public', 'unlisted', 'private'));
  ALTER TABLE items ADD COLUMN expires_at INTEGER;
  ALTER TABLE items ADD COLUMN about TEXT NOT NULL DEFAULT '{}';
  CREATE INDEX items_expiry ON items (expires_at) WHERE expires_at IS NOT NULL AND state = 'live';

  CREATE TABLE tags (
    tag TEXT NOT NULL,
    info_hash TEXT NOT NULL REFERENCES items ON DELETE CASCADE,
    PRIMARY KEY (tag, info_hash)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tags_item ON tags (info_hash);
  `
