import { SluiceError } from '../../runtime/index.js';
import type { FoundModule } from './folder.js';
import type { Found } from './found.js';

/** The states of a module and of what lies beside it; equal as long as nothing has changed. */
export interface FileStamps {
  /** Of the file and its signatures: what a module with a manifest in it depends on. */
  readonly own: string;
  /** Of these and of the manifest beside it. */
  readonly whole: string;
  /** Of what is loaded, without the signatures. @param embedded its manifest is in it */
  readonly code: (embedded: boolean) => string;
  /** Last change of any of them, milliseconds since 1970. */
  readonly changedMs: number;
}

/** @param looks signatures count */
export function stampsOf(state: FoundModule | SluiceError, looks: boolean): FileStamps {
  if (state instanceof SluiceError) {
    const { message } = state;
    return { own: message, whole: message, code: () => message, changedMs: 0 };
  }
  const { stamp, sidecar } = state;
  const signatures = looks ? state.signatures : undefined;
  const both = `${stamp} ${part(sidecar)}`;
  const changes = [sidecar, signatures].map(each =>
    each === undefined || each instanceof SluiceError ? 0 : each.changedMs,
  );
  return {
    own: `${stamp} ${part(signatures)}`,
    whole: `${both} ${part(signatures)}`,
    code: embedded => (embedded ? stamp : both),
    changedMs: Math.max(state.changedMs, ...changes),
  };
}

function part(found: Found | SluiceError | undefined): string {
  if (found === undefined) return 'none';
  return found instanceof SluiceError ? found.message : found.stamp;
}
