/** As many items as may be published within one millisecond, and the greatest moment of a place. */
export const placesPerMs = 2 ** 21
export const lastMs = 2 ** 42 - 1

/** A text as one word of the index, whatever it consists of. */
const word = (prefix: string, text: string) => `'${prefix}' || lower(hex(${text}))`

const words = `concat_ws(' ', name, about ->> '$.media.title', about ->> '$.media.artist',
  (SELECT group_concat(value, ' ') FROM json_each(about, '$.tags')),
  (SELECT group_concat(value ->> '$.title', ' ') FROM json_each(about, '$.media.tracks')),
  (SELECT group_concat(path, ' ') FROM (
    SELECT path FROM files WHERE files.info_hash = items.info_hash AND n < 200 ORDER BY n)))`

const keys = `concat_ws(' ', 'all', 'a' || access, iif(owner = '', NULL, ${word('o', 'owner')}),
  (SELECT group_concat(${word('t', 'value')}, ' ') FROM json_each(about, '$.tags')),
  (SELECT group_concat(${word('y', 'type')}, ' ') FROM (
    SELECT DISTINCT type FROM files WHERE files.info_hash = items.info_hash
    UNION SELECT DISTINCT substr(type, 1, instr(type, '/') - 1) FROM files WHERE files.info_hash = items.info_hash)))`

/** Puts an item that is to be listed into the index. */
export const listItem = (infoHash: string) => `
  INSERT INTO listing (rowid, keys, words)
  SELECT places.place, listable.keys, listable.words FROM listable JOIN places USING (info_hash)
  WHERE listable.info_hash = ${infoHash}`

/**
 * What lists are made from. Each item has a place in the order of publication for as long as it is known; `listing` has
 * those that are live, held and no previews of others: by whom they may be seen, owner, tags and types as single words,
 * and the words of their names. A list with any filters is one walk along the index, from a place downwards.
 */
export const search = `
  CREATE TABLE places (
    place INTEGER PRIMARY KEY,
    info_hash TEXT NOT NULL UNIQUE
  ) STRICT;

  CREATE VIRTUAL TABLE listing USING fts5 (
    keys, words, content = '', contentless_delete = 1, prefix = '3', tokenize = 'unicode61 remove_diacritics 2'
  );

  CREATE VIEW listable AS SELECT info_hash, ${keys} AS keys, ${words} AS words FROM items
  WHERE state = 'live' AND held = 1 AND about ->> '$.previewOf' IS NULL;

  INSERT INTO places
  SELECT clamped * ${placesPerMs} + row_number() OVER (PARTITION BY clamped ORDER BY info_hash) - 1, info_hash
  FROM (SELECT max(0, min(created_at, ${lastMs})) AS clamped, info_hash FROM items);

  INSERT INTO listing (rowid, keys, words)
  SELECT places.place, listable.keys, listable.words FROM listable JOIN places USING (info_hash);

  CREATE TRIGGER listing_changed AFTER UPDATE OF state, held, about, access, owner, name ON items BEGIN
    DELETE FROM listing WHERE rowid = (SELECT place FROM places WHERE info_hash = new.info_hash);
    ${listItem('new.info_hash')};
  END;
  CREATE TRIGGER listing_removed AFTER DELETE ON items BEGIN
    DELETE FROM listing WHERE rowid = (SELECT place FROM places WHERE info_hash = old.info_hash);
    DELETE FROM places WHERE info_hash = old.info_hash;
  END;
  `
