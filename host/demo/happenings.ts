/** What a line of the events is about. */
export type Kind = 'swap' | 'refusal' | 'fault' | 'key';

export interface Happening {
  /** Time of day, `12:30:01`. */
  readonly time: string;
  readonly kind: Kind;
  readonly text: string;
  /** SLUICE_..., where there is one. */
  readonly code?: string;
}

/** The mark in front says it already. */
const REFUSED = ' is refused: ';
/** Kept; a screen shows fewer. */
const MOST = 50;

/** The last things that happened, read from the gateway's own log. */
export class Happenings {
  #list: Happening[] = [];

  get list(): readonly Happening[] {
    return this.#list;
  }

  /** One line of the log as JSON. */
  fromLog(json: string): void {
    let line: Record<string, unknown>;
    try {
      line = JSON.parse(json) as Record<string, unknown>;
    } catch {
      return;
    }
    const { level, msg, code, file, route, version } = line;
    const text = String(msg ?? '');
    if (typeof code === 'string') {
      const refusal = file !== undefined || text.includes(REFUSED);
      const said = text.replace(REFUSED, ': ');
      const bare = file === undefined || said.includes(String(file)) ? said : `${String(file)}: ${said}`;
      this.#add({ kind: refusal ? 'refusal' : 'fault', text: bare, code });
    } else if (level === 'info' && route !== undefined && version !== undefined) {
      this.#add({ kind: 'swap', text: `${String(version)}: ${text}` });
    }
  }

  key(text: string): void {
    this.#add({ kind: 'key', text });
  }

  #add(happening: Omit<Happening, 'time'>): void {
    this.#list.push({ ...happening, time: new Date().toTimeString().slice(0, 8) });
    if (this.#list.length > MOST) this.#list = this.#list.slice(-MOST);
  }
}
