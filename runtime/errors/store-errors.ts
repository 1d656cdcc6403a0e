import type { ErrorRow } from './error-row.js';

/** What is on the disk: the data folder, the spool, the quarantine. */
export const STORE_ERRORS = {
  SLUICE_QUARANTINE_ID: {
    cause:
      'There is no frame with this id in quarantine: it was replayed, thrown away, or made room for newer ones.',
    remedy: 'List what is there with GET /v1/quarantine.',
  },
  SLUICE_QUARANTINE_ROUTE: {
    cause: 'The route that the frame came through is not in the configuration any more.',
    remedy: 'Run its frames with `sluice replay data/quarantine.db --plugin FILE`, or bring the route back.',
  },
  SLUICE_QUARANTINE_FULL: {
    cause: 'The quarantine holds as many frames as it may; the oldest made room for a new one.',
    remedy:
      'Replay or throw away what is in it: GET /v1/quarantine shows the frames, and which plugin failed.',
  },
  SLUICE_REPLAY_FILE: {
    cause: 'A file of frames cannot be read, or a frame in it is not of the known form.',
    remedy:
      'Use what GET /v1/quarantine answers, one such frame a line, or the quarantine.db of the data folder.',
  },
  SLUICE_DATA_LOCKED: {
    cause: 'Another gateway is running on the same data folder.',
    remedy:
      'Stop the process that the message names, or give this gateway a `data.dir` of its own. The lock ends with its process: there is nothing to delete.',
  },
  SLUICE_DATA_FORMAT: {
    cause: 'The data folder is of a newer version of Sluice.',
    remedy: 'Use the version that wrote it, or set another `data.dir`.',
  },
  SLUICE_DATA_FOLDER: {
    cause: 'The data folder could not be made, read or written.',
    remedy: 'Check `data.dir` in the configuration, its rights and the space on its disk.',
  },
  SLUICE_STORE_FULL: {
    cause: 'The disk of the data folder is full, or `data.max` is reached.',
    remedy:
      'Make room on the disk or raise `data.max`. Nothing that was acknowledged is lost; writing goes on by itself as soon as there is room.',
  },
  SLUICE_STORE_FAILED: {
    cause: 'A file in the data folder could not be read or written.',
    remedy: 'Read the message; check the disk and the rights of `data.dir`. It is tried again.',
  },
  SLUICE_STORE_DAMAGED: {
    cause: 'A file in the data folder is damaged, as after a failing disk or card.',
    remedy:
      'The file was renamed as the message says; a database can be looked into with `sqlite3 FILE .recover`. The gateway goes on with a new one. Check the disk.',
  },
  SLUICE_STORE_THREAD: {
    cause: 'The thread that writes durable data ended by itself.',
    remedy: 'It was started again and nothing is lost. If it happens again, report it with the message.',
  },
  SLUICE_SPOOL_OLDEST: {
    cause:
      'The spool was full, and the oldest messages, or frames that wait for their plugins, of a route with `whenFull: keep-newest` made room.',
    remedy:
      'Raise `data.max`, or look why the sink is away, or which plugin has its breaker open. They are gone; their number is counted.',
  },
  SLUICE_SPOOL_THINNED: {
    cause:
      'The spool was full, and in the older half of a route with `whenFull: down-sample` every second message, or frame that waits for its plugins, made room.',
    remedy:
      'Raise `data.max`, or look why the sink is away, or which plugin has its breaker open. They are gone; their number is counted.',
  },
  SLUICE_SPOOL_LOST: {
    cause: 'Messages that were in the spool could not be read back: the file was damaged.',
    remedy: 'Check the disk. A damaged file is kept beside spool.db and can be looked into.',
  },
  SLUICE_SPOOL_UNCLAIMED: {
    cause:
      'Messages wait in the spool for a sink that the configuration does not name, or that has no spool; or frames for the plugins of a route that it does not name.',
    remedy:
      'Configure the sink, or the route, again under that name, and they go out. To give them up, delete spool.db from the data folder while the gateway is stopped.',
  },
  SLUICE_SPOOL_LATE: {
    cause:
      'spool.db could not be opened for five seconds at the start, so the gateway went on without. Now it is open, and what an earlier run had left in it comes behind what came meanwhile; messages of it carry `sluice-late`.',
    remedy: 'Nothing is lost. Look for what held or hid the file: the lines before this one say what it was.',
  },
  SLUICE_SPOOL_QUEUES: {
    cause:
      'There are more pairs of a sink (or a route whose plugins are away) and a source than the spool can keep apart.',
    remedy:
      'Use fewer sinks a route. What comes from these sources is not put down while the sink is away, and refused while the breaker of their plugins is open.',
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;
