import { type GuestLog, LIMITS } from '../../runtime/index.js';
import type { FromSandbox } from '../messages.js';

/** Lines a second that a chain may log; what is beyond is counted. */
const LINES_PER_SECOND = 50;

/** What the guests of a chain have logged and nobody was told of yet. */
export class GuestLogs {
  readonly #plugins: readonly string[];
  readonly #buffers: readonly LogBuffer[];
  #lines = 0;
  #second = 0;

  /** @param plugins of each stage */
  constructor(plugins: readonly string[]) {
    this.#plugins = plugins;
    this.#buffers = plugins.map(() => new LogBuffer());
  }

  /** Where a stage logs to. */
  of(stage: number): GuestLog {
    return (this.#buffers[stage] as LogBuffer).take;
  }

  send(post: (message: FromSandbox) => void): void {
    for (const [index, log] of this.#buffers.entries()) {
      if (log.lines.length === 0 && log.lost === 0) continue;
      const second = Math.floor(performance.now() / 1000);
      if (second !== this.#second) this.#lines = 0;
      this.#second = second;
      if (this.#lines >= LINES_PER_SECOND) {
        log.lost += log.lines.length;
        log.lines = [];
        continue;
      }
      this.#lines += log.lines.length;
      post({ kind: 'log', plugin: this.#plugins[index] as string, lines: log.lines, lost: log.lost });
      log.lines = [];
      log.lost = 0;
    }
  }
}

/** Collects the log lines of a call: a bounded number, cut to a bounded length; the rest is counted. */
class LogBuffer {
  lines: { level: number; text: string }[] = [];
  lost = 0;

  readonly take: GuestLog = (level, text) => {
    if (this.lines.length >= LIMITS.logLines) this.lost++;
    else this.lines.push({ level, text: text.slice(0, LIMITS.logBytes) });
  };
}
