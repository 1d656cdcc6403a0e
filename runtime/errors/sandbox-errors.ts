import type { ErrorRow } from './error-row.js';

/** The ring, the threads, the process. */
export const SANDBOX_ERRORS = {
  SLUICE_NODE_VERSION: {
    cause: 'The program was started on a Node.js older than 24.',
    remedy:
      'In the checkout start it through npm (npm start, npx sluice), which finds the Node.js that `npm ci` brought. Where the package was installed `npm install node@24` there, for npx sluice to find, or install Node.js 24 or newer.',
  },
  SLUICE_INTERNAL: {
    cause: 'A defect in Sluice itself.',
    remedy: 'Report it with the log lines around it.',
  },
  SLUICE_RING_PUBLISHED: {
    cause: 'A slab was written after publish() gave it away.',
    remedy: 'A defect in Sluice: report it.',
  },
  SLUICE_RING_ACKED: {
    cause: 'A slab was read after ack() gave its memory back.',
    remedy: 'A defect in Sluice: report it.',
  },
  SLUICE_FRAME_TOO_LARGE: {
    cause: 'A frame, a body or a message is larger than its source takes, or than the largest slab.',
    remedy:
      'Split it at the device, or raise what the message names (`maxBody`, `maxFrame`, `maxMessage` of the source); 31 MiB are the most.',
  },
  SLUICE_SANDBOX_LIMIT: {
    cause: 'Every sandbox thread that is allowed is in use.',
    remedy: 'Raise `plugins.sandboxes`, or use fewer plugins.',
  },
  SLUICE_SANDBOX_START: {
    cause: 'A sandbox thread ended before it could serve.',
    remedy: 'Read the message; check the memory of the machine.',
  },
  SLUICE_LEAKED: {
    cause:
      'Something that has to be closed was forgotten, and found when its memory was collected; it is closed now.',
    remedy:
      'Nothing is lost. It is a mistake in the program: report it with the line, which says where the thing was made.',
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;
