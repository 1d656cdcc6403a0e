import { type Difference, showBytes, showHex, type TrialMessage } from '../../runtime/index.js';

/** A message in two or three lines. */
export function showMessage(message: TrialMessage): string {
  const { topic, payload, contentType, qos, retain, properties } = message;
  const head = [topic, contentType === '' ? 'application/octet-stream' : contentType, `QoS ${qos}`];
  if (retain) head.push('retained');
  const shown = contentType === 'application/octet-stream' ? showHex(payload) : showBytes(payload);
  const lines = [head.join('  '), `  ${shown}`];
  if (properties.length > 0) lines.push(`  ${properties.map(([key, value]) => `${key}=${value}`).join(' ')}`);
  return lines.join('\n');
}

/** Expected above actual, and a mark under the first character that differs. */
export function showDifference({ what, expected, actual }: Difference): string {
  const lines = [`    ${what}`, `      expected  ${expected}`, `      actual    ${actual}`];
  let same = 0;
  while (same < expected.length && expected[same] === actual[same]) same++;
  const short = !expected.includes('\n') && !actual.includes('\n') && same < 200;
  if (short && same > 0) lines.push(`${' '.repeat(16 + same)}^`);
  return lines.join('\n');
}

/** A message as plain JSON: the payload as hex, and as text where it is text. */
export function plainMessage({ payload, timestamp, ...message }: TrialMessage) {
  const utf8 = payload.toString('utf8');
  const isText = message.contentType !== 'application/octet-stream' && Buffer.from(utf8).equals(payload);
  return {
    ...message,
    timestamp: String(timestamp),
    payload: payload.toString('hex'),
    ...(isText ? { text: utf8 } : {}),
  };
}
