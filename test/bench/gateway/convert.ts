/**
 * The conversion as one writes it by hand: a Modbus TCP reply to JSON, with the checks of modbus-json. Used by the
 * usual bare program, and its text is the function node of Node-RED: so it may use nothing from outside.
 */
export function convert(payload: Buffer, topic: string): string {
  const { length } = payload;
  const bytes = payload[8] ?? 0;
  const code = payload[7] ?? 0;
  if (length < 11 || payload.readUInt16BE(2) !== 0 || payload.readUInt16BE(4) !== length - 6)
    throw new Error('malformed');
  if ((code !== 3 && code !== 4) || bytes !== length - 9 || bytes % 2 !== 0) throw new Error('unsupported');
  const range = /\/\d+\/\d+\/(\d+)-(\d+)$/.exec(topic);
  const first = Number(range?.[1]);
  if (Number(range?.[2]) - first + 1 !== bytes / 2) throw new Error('malformed');
  const values: number[] = [];
  for (let at = 9; at < length; at += 2) values.push(payload.readUInt16BE(at));
  return JSON.stringify({ unit: payload[6], function: code, first, values });
}
