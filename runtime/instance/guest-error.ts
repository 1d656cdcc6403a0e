import { SluiceError, type Step } from '../errors.js';

/**
 * What a guest threw, as a coded error. V8 reports a trap as WebAssembly.RuntimeError, a full stack as
 * RangeError; jco reports a refused result as ComponentError.
 */
export function guestError(thrown: unknown, step: Step, plugin: string): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof RangeError && /call stack/i.test(message)) {
    return new SluiceError('SLUICE_GUEST_STACK', `${plugin} ran out of stack in ${step}`, {
      step,
      plugin,
      cause: thrown,
    });
  }
  if (thrown instanceof WebAssembly.RuntimeError) {
    return new SluiceError('SLUICE_GUEST_TRAP', `${plugin} trapped in ${step}: ${message}`, {
      step,
      plugin,
      cause: thrown,
    });
  }
  if (thrown instanceof WebAssembly.LinkError) {
    return new SluiceError('SLUICE_GUEST_LINK', `${plugin} could not be linked: ${message}`, {
      step,
      plugin,
      cause: thrown,
    });
  }
  if (thrown instanceof RangeError && /memory|allocation/i.test(message)) {
    return new SluiceError('SLUICE_GUEST_MEMORY', `${plugin} had no memory in ${step}: ${message}`, {
      step,
      plugin,
      cause: thrown,
    });
  }
  return new SluiceError('SLUICE_GUEST_TRAP', `${plugin} failed in ${step}: ${message}`, {
    step,
    plugin,
    cause: thrown,
  });
}

/** A result that breaks the contract. */
export function badResult(plugin: string, what: string, step: Step = 'run'): SluiceError {
  return new SluiceError('SLUICE_GUEST_RESULT', `${plugin} returned ${what}`, { step, plugin });
}

/** "I cannot go on from this": the plugin's own answer. */
export function stateRefused(plugin: string, said: string): SluiceError {
  return new SluiceError('SLUICE_STATE_REFUSED', `${plugin} refused the state that it was given: ${said}`, {
    step: 'import-state',
    plugin,
  });
}
