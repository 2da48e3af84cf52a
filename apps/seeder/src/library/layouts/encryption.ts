/**
 * Identities of encrypted items, each wrapped for this node alone. They outlive the item's row, since whoever drops a copy
 * would else lose the key of what others still hold; they go with the purge of a retracted item. `content` is a keyed
 * hash of the plaintext.
 */
export const encryption = `
  CREATE TABLE item_keys (
    info_hash TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    content TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    rotate_every INTEGER CHECK (rotate_every > 0),
    rotate_at INTEGER,
    successor TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX item_keys_content ON item_keys (owner, content);
  CREATE INDEX item_keys_rotation ON item_keys (rotate_at) WHERE rotate_at IS NOT NULL;
  CREATE INDEX item_keys_replaced ON item_keys (info_hash) WHERE successor IS NOT NULL;

  CREATE TABLE item_readers (
    info_hash TEXT NOT NULL,
    recipient TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('wanted', 'granted', 'removed')),
    PRIMARY KEY (info_hash, recipient)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX item_readers_recipient ON item_readers (recipient);
  CREATE INDEX item_readers_open ON item_readers (info_hash) WHERE state <> 'granted';

  CREATE TABLE readers (
    id TEXT PRIMARY KEY,
    recipient TEXT NOT NULL,
    signed_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX readers_recipient ON readers (recipient);
  CREATE INDEX readers_oldest ON readers (signed_at);
  `
