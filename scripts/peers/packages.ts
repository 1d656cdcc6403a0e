/** A Debian package that `npm run test:peers` needs, and a file that tells that it is there. */
export interface PeerPackage {
  readonly name: string;
  readonly file: string;
}

const PYTHON = '/usr/lib/python3/dist-packages';

export const PEER_PACKAGES: readonly PeerPackage[] = [
  { name: 'mosquitto', file: '/usr/sbin/mosquitto' },
  { name: 'mosquitto-clients', file: '/usr/bin/mosquitto_sub' },
  { name: 'mbpoll', file: '/usr/bin/mbpoll' },
  { name: 'curl', file: '/usr/bin/curl' },
  { name: 'g++', file: '/usr/bin/g++' },
  { name: 'clang-19', file: '/usr/bin/clang++-19' },
  { name: 'lld-19', file: '/usr/bin/wasm-ld-19' },
  // What emscripten runs.
  { name: 'clang-14', file: '/usr/bin/clang++-14' },
  { name: 'lld-14', file: '/usr/bin/wasm-ld-14' },
  { name: 'llvm-14', file: '/usr/bin/llvm-ar-14' },
  { name: 'libcoap3-bin', file: '/usr/bin/coap-client-notls' },
  { name: 'openssl', file: '/usr/bin/openssl' },
  { name: 'python3', file: '/usr/bin/python3' },
  { name: 'python3-pymodbus', file: `${PYTHON}/pymodbus/__init__.py` },
  { name: 'python3-serial', file: `${PYTHON}/serial/__init__.py` },
  { name: 'python3-serial-asyncio', file: `${PYTHON}/serial_asyncio/__init__.py` },
];
