/** Which items are previews of others, and which wait to be described. */
export const media = `
  ALTER TABLE items ADD COLUMN preview_of TEXT GENERATED ALWAYS AS (about ->> '$.previewOf') VIRTUAL;
  CREATE INDEX items_previews ON items (preview_of) WHERE preview_of IS NOT NULL;

  CREATE TABLE descriptions (
    n INTEGER PRIMARY KEY,
    info_hash TEXT NOT NULL UNIQUE REFERENCES items ON DELETE CASCADE,
    tries INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  `
