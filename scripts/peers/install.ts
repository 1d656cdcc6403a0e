/**
 * Installs what `npm run test:peers` needs and is missing, from Debian. Exit 0: all is there; 1: it is not, and the
 * last lines say what to do.
 */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { unpackEmscripten } from './emscripten.js';
import { PEER_PACKAGES } from './packages.js';

const PATIENCE_MS = 300_000;

function main(): number {
  return installPackages() || fetchEmscripten();
}

/** After the packages: by then the lists of what there is are fresh. */
function fetchEmscripten(): number {
  if (unpackEmscripten() || (apt('update') && unpackEmscripten())) return 0;
  return refuse(['emscripten'], 'apt-get download emscripten binaryen failed (see above)');
}

function installPackages(): number {
  const missing = PEER_PACKAGES.filter(({ file }) => !existsSync(file)).map(({ name }) => name);
  if (missing.length === 0) return 0;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (!existsSync('/usr/bin/apt-get'))
    return refuse(missing, 'there is no apt-get here: these tests want Debian 12 or one of its children');
  if (process.getuid?.() !== 0) return refuse(missing, `only root may install them: sudo ${command}`);
  process.stderr.write(`test:peers installs ${missing.join(', ')}\n`);
  const install = (): boolean => apt('install', '-y', '--no-install-recommends', ...missing);
  // The lists may be old, or not there at all as in an image; they are fetched only where they are needed.
  const installed = install() || (apt('update') && install());
  if (missing.includes('mosquitto')) stopService();
  return installed ? 0 : refuse(missing, `this failed (see above): ${command}`);
}

function apt(...args: string[]): boolean {
  return run('apt-get', ['-q', ...args], {
    env: {
      ...process.env,
      DEBIAN_FRONTEND: 'noninteractive',
      // No service starts in this runlevel, where the system asks for it (see invoke-rc.d).
      RUNLEVEL: '1',
    },
    // Standard output belongs to the report of the tests.
    stdio: ['ignore', 2, 2],
  });
}

/** The package starts a broker on port 1883. Nobody asked for it: it was not there before, so it is stopped again. */
function stopService(): void {
  if (existsSync('/run/systemd/system')) run('systemctl', ['disable', '--now', 'mosquitto']);
  else run('service', ['mosquitto', 'stop']);
}

function run(command: string, args: readonly string[], options: SpawnSyncOptions = {}): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: PATIENCE_MS, ...options }).status === 0;
}

function refuse(missing: readonly string[], why: string): number {
  process.stderr.write(`test:peers lacks ${missing.join(', ')}: ${why}\n`);
  return 1;
}

process.exitCode = main();
