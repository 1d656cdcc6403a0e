import { readFileSync } from 'node:fs';

interface Vector {
  readonly what: string;
  readonly hex: string;
}

const FILE = new URL('../../../../host/protocols/tunnel/vectors.json', import.meta.url);

/** Frames, byte for byte, that every client and server of the tunnel makes. */
export function tunnelVectors(): { client: Vector[]; server: Vector[] } {
  return JSON.parse(readFileSync(FILE, 'utf8'));
}
