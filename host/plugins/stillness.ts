/**
 * For how long files have not changed: by the clock of the file system or, where that one is ahead of ours
 * or lies (network folders, archives unpacked with their times), by what we have seen ourselves.
 */
export class Stillness {
  readonly #first = new Map<string, { readonly stamp: string; readonly at: number }>();

  /** Milliseconds. @param changedMs last change as the file system says, milliseconds since 1970 */
  of(file: string, stamp: string, changedMs: number): number {
    const now = performance.now();
    let first = this.#first.get(file);
    if (first?.stamp !== stamp) {
      first = { stamp, at: now };
      this.#first.set(file, first);
    }
    return Math.max(now - first.at, Date.now() - changedMs);
  }

  /** Forgets all files but these. */
  keep(files: ReadonlyMap<string, unknown>): void {
    for (const file of [...this.#first.keys()]) if (!files.has(file)) this.#first.delete(file);
  }
}
