/** A coded error, explained. */
export interface ErrorRow {
  /** Why it happens. */
  readonly cause: string;
  /** What to do about it. */
  readonly remedy: string;
}
