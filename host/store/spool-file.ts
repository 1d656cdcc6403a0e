/** What host and thread both know of spool.db. */

/**
 * `record.id` is the number of the queue and the place in it, in one integer, so that a queue is one range
 * of the table and a new record is at its end. Both stay below 2^53 together: numbers are exact.
 */
export const PLACES = 2 ** 40;
export const MOST_QUEUES = 2 ** 12;

export const SPOOL_SCHEMA = `
CREATE TABLE IF NOT EXISTS queue (
  id INTEGER PRIMARY KEY, sink TEXT NOT NULL, route TEXT NOT NULL, source TEXT NOT NULL, aside INTEGER NOT NULL,
  records INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS record (
  id INTEGER PRIMARY KEY, since REAL NOT NULL, topic INTEGER NOT NULL, payload INTEGER NOT NULL,
  crc INTEGER NOT NULL, image BLOB NOT NULL
);
CREATE VIEW IF NOT EXISTS message AS
  SELECT sink, route, source, record.id & 1099511627775 AS place,
    datetime(since / 1000, 'unixepoch') AS since,
    CAST(substr(image, 1, topic) AS TEXT) AS topic, substr(image, 1 + topic, payload) AS payload
  FROM record JOIN queue ON queue.id = record.id >> 40;
`;

/** Before each record of a chunk that is appended; little-endian. `mark` is the host's own, and not written. */
export const CHUNK = {
  size: 0,
  queue: 4,
  place: 8,
  since: 16,
  topic: 24,
  payload: 28,
  mark: 32,
  header: 40,
} as const;

/** Before each record of what is taken; little-endian. */
export const TAKEN = { size: 0, place: 4, since: 12, header: 20 } as const;
