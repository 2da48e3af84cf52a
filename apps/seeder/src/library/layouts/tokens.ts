/**
 * Who may do what, and how much of this node each owner has. Of a token only its hash is kept. Usage is kept up to date
 * by each change of an item, in the transaction that makes it: it is never counted. A preview is no
 * item of its own there.
 */
export const tokens = `
  CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL,
    owner TEXT NOT NULL,
    label TEXT NOT NULL,
    scopes TEXT NOT NULL,
    reader TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tokens_age ON tokens (created_at, id);
  CREATE INDEX tokens_owner ON tokens (owner);

  CREATE TABLE quotas (
    owner TEXT PRIMARY KEY,
    bytes INTEGER,
    items INTEGER,
    bytes_per_day INTEGER
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE usage (
    owner TEXT PRIMARY KEY,
    items INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE usage_days (
    owner TEXT NOT NULL,
    day INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (owner, day)
  ) STRICT, WITHOUT ROWID;

  INSERT INTO usage SELECT owner, count(*), sum(size) FROM items WHERE owner <> '' GROUP BY owner;
  CREATE TRIGGER owned_item_added AFTER INSERT ON items WHEN new.owner <> '' BEGIN
    INSERT INTO usage VALUES (new.owner, new.about ->> '$.previewOf' IS NULL, new.size)
    ON CONFLICT DO UPDATE SET items = items + excluded.items, bytes = bytes + excluded.bytes;
    DELETE FROM usage_days WHERE owner = new.owner AND day < new.created_at / 86400000;
    INSERT INTO usage_days VALUES (new.owner, new.created_at / 86400000, new.size)
    ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER owned_item_removed AFTER DELETE ON items WHEN old.owner <> '' BEGIN
    UPDATE usage SET items = items - (old.about ->> '$.previewOf' IS NULL), bytes = bytes - old.size
    WHERE owner = old.owner;
    DELETE FROM usage WHERE owner = old.owner AND items = 0 AND bytes = 0;
  END;
  CREATE TRIGGER item_given AFTER UPDATE OF owner ON items WHEN new.owner <> old.owner BEGIN
    UPDATE usage SET items = items - (old.about ->> '$.previewOf' IS NULL), bytes = bytes - old.size
    WHERE owner = old.owner;
    DELETE FROM usage WHERE owner = old.owner AND items = 0 AND bytes = 0;
    INSERT INTO usage SELECT new.owner, new.about ->> '$.previewOf' IS NULL, new.size WHERE new.owner <> ''
    ON CONFLICT DO UPDATE SET items = items + excluded.items, bytes = bytes + excluded.bytes;
  END;
  `
