/** The two clocks that a source needs, so that tests can bring their own. */
export interface Clock {
  /** Milliseconds since 1970, with fractions. */
  wall(): number;
  /** Milliseconds that never jump. */
  steady(): number;
}

/** How far the fine clock may be off before the system's clock is taken again. */
const TOLERANCE_MS = 2;

/**
 * The system's wall clock with the resolution of the steady one: `Date.now()` alone has whole
 * milliseconds, and the steady clock alone would not follow when the system's time is set.
 */
export function systemClock(): Clock {
  let offset = performance.timeOrigin;
  return {
    steady: () => performance.now(),
    wall: () => {
      const steady = performance.now();
      const wall = Date.now();
      if (Math.abs(wall - steady - offset) > TOLERANCE_MS) offset = wall - steady;
      return steady + offset;
    },
  };
}
