import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { faultOf, SluiceError } from '../../runtime/index.js';
import { moveInto, writeSynced } from '../admin/plugins/files.js';
import type { Reporter } from '../telemetry/reporter.js';
import { FolderLock } from './folder-lock.js';

/** Version of what lies in the data folder, all files together. */
const FORMAT = 1;

/** gateway.json: what the folder is, and whose. */
interface Identity {
  readonly format: number;
  /** Name of the gateway in message ids. Made once, so that it outlives a new host name. */
  readonly gateway: string;
  /** Starts so far. */
  readonly starts: number;
}

/** The folder for durable data: one process at a time, of a known format, and its starts are counted. */
export class DataFolder {
  readonly path: string;
  readonly gateway: string;
  /**
   * Tells this run from every other one of this gateway: what is numbered from 1 after a start is unique
   * together with it. Counted up at each start, so no clock can make it repeat.
   */
  readonly epoch: string;
  readonly #lock: FolderLock;

  private constructor(path: string, lock: FolderLock, gateway: string, epoch: string) {
    this.path = path;
    this.#lock = lock;
    this.gateway = gateway;
    this.epoch = epoch;
  }

  /**
   * @throws SluiceError SLUICE_DATA_LOCKED: another process has it; SLUICE_DATA_FORMAT: it is of a newer
   * version; SLUICE_DATA_FOLDER: it cannot be used
   */
  static async open(path: string, report: Reporter): Promise<DataFolder> {
    const lock = await locked(path);
    try {
      const { gateway, starts } = await identityOf(path, report);
      if (lock.wasDamaged) {
        const message = `the file lock in ${path} was damaged; nothing is in it, and it has been emptied`;
        report.fault({ code: 'SLUICE_STORE_DAMAGED', message }, { folder: path });
      }
      if (lock.left !== undefined) {
        const { pid, since } = lock.left;
        report.info(`process ${pid}, which had the data folder since ${since}, did not end by itself`, {
          folder: path,
        });
      }
      const epoch = await counted(path, { format: FORMAT, gateway, starts: starts + 1 }, report);
      return new DataFolder(path, lock, gateway, epoch);
    } catch (thrown) {
      lock.release();
      throw thrown;
    }
  }

  /** Another process may have it from now on. */
  close(): void {
    this.#lock.release();
  }
}

async function locked(path: string): Promise<FolderLock> {
  try {
    await mkdir(path, { recursive: true });
    return new FolderLock(path);
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw thrown;
    throw new SluiceError('SLUICE_DATA_FOLDER', `${path}: ${(thrown as Error).message}`, { cause: thrown });
  }
}

async function identityOf(path: string, report: Reporter): Promise<Identity> {
  const file = join(path, 'gateway.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return fresh();
    throw new SluiceError('SLUICE_DATA_FOLDER', `${file}: ${(thrown as Error).message}`, { cause: thrown });
  }
  const { format, gateway, starts } = parsed(text);
  if (typeof format === 'number' && format > FORMAT)
    throw new SluiceError(
      'SLUICE_DATA_FORMAT',
      `${path} is of format ${format}, written by a newer version of Sluice; this one knows up to ${FORMAT}`,
    );
  if (typeof format === 'number' && typeof gateway === 'string' && typeof starts === 'number')
    return { format, gateway, starts };
  return anew(file, report);
}

/** Nothing, of what is no JSON. */
function parsed(text: string): Partial<Identity> {
  try {
    return (JSON.parse(text) ?? {}) as Partial<Identity>;
  } catch {
    return {};
  }
}

/** To count from the beginning again would repeat message ids: it does so under another name. */
async function anew(file: string, report: Reporter): Promise<Identity> {
  const aside = `${file}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '')}`;
  const identity = fresh(8);
  try {
    await moveInto(file, aside);
  } catch (thrown) {
    throw new SluiceError('SLUICE_DATA_FOLDER', `${file}: ${(thrown as Error).message}`, { cause: thrown });
  }
  const message = `${file} does not say format, gateway and starts; it is ${basename(aside)} now, and this gateway is called ${identity.gateway} from here on, so that no message id comes again`;
  report.fault({ code: 'SLUICE_STORE_DAMAGED', message }, { file }, 'error');
  return identity;
}

/** Hosts that were cloned, or that all are called "gateway", are told apart by the bytes. */
function fresh(bytes = 2): Identity {
  const host =
    hostname()
      .replaceAll(/[^A-Za-z0-9._-]/g, '-')
      .slice(0, 40) || 'gateway';
  return { format: FORMAT, gateway: `${host}-${randomBytes(bytes).toString('hex')}`, starts: 0 };
}

/** Keeps the count; on a disk that is full the time has to stand in for it. */
async function counted(path: string, identity: Identity, report: Reporter): Promise<string> {
  const file = join(path, 'gateway.json');
  try {
    await writeSynced(`${file}.new`, Buffer.from(`${JSON.stringify(identity)}\n`));
    await moveInto(`${file}.new`, file);
    return String(identity.starts);
  } catch (thrown) {
    const { message } = faultOf(thrown);
    report.fault({ code: 'SLUICE_DATA_FOLDER', message: `${file}: ${message}` }, {}, 'error');
    return `t${Date.now().toString(36)}`;
  }
}
