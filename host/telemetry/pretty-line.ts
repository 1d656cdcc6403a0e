const SHADES: Readonly<Record<string, string>> = {
  warn: '33',
  error: '31',
  fatal: '31;1',
  debug: '2',
  trace: '2',
};

/** `12:30:01.250 warn  what happened  code=SLUICE_... source=line1`, from one line of JSON. */
export function prettyLine(json: string, colour: boolean): string {
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(json) as Record<string, unknown>;
  } catch {
    return json;
  }
  const { time, level, msg, ...rest } = record;
  const clock = String(time).slice(11, 23);
  const head = `${clock} ${String(level).padEnd(5)}`;
  const shade = SHADES[String(level)];
  const shown = colour && shade !== undefined ? `\u001b[${shade}m${head}\u001b[0m` : head;
  const details = Object.entries(rest).map(([key, value]) => `${key}=${detail(value)}`);
  return `${[shown, ...(msg === undefined ? [] : [oneLine(String(msg))]), ...details].join(' ')}\n`;
}

function detail(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=\p{Cc}]+$/u.test(value)) return value;
  return JSON.stringify(value) ?? 'undefined';
}

/** What a device or a plugin says must not be able to write lines or move the cursor of the terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, found => (found === '\n' ? ' | ' : JSON.stringify(found).slice(1, -1)));
}
