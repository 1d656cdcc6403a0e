/** How many cases a property gets in `npm run test:long`: SLUICE_LONG_CASES, or a million. */
export function longCases(): number {
  const { SLUICE_LONG_CASES: asked } = process.env;
  return asked === undefined ? 1_000_000 : Number.parseInt(asked, 10);
}
