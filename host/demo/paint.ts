/** How something is meant; the colours follow from it. */
export type Shade = 'strong' | 'dim' | 'good' | 'warn' | 'bad' | 'accent' | 'head';

const CODES: Readonly<Record<Shade, string>> = {
  strong: '1',
  dim: '2',
  good: '32',
  warn: '33',
  bad: '31',
  accent: '36',
  head: '2;4',
};

export type Paint = (shade: Shade, text: string) => string;

/** Colours of the terminal's own palette; none of them with `NO_COLOR` or on a terminal that is dumb. */
export function painter(environment: Readonly<Record<string, string | undefined>>): Paint {
  const none = (environment.NO_COLOR ?? '') !== '' || environment.TERM === 'dumb';
  return none ? (_, text) => text : (shade, text) => `\u001b[${CODES[shade]}m${text}\u001b[0m`;
}
