import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A module that others built, from an npm package that is installed anyway. */
export interface RealModule {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const packages = new URL('../../../../node_modules/', import.meta.url);
const JCO = '@bytecodealliance/jco-transpile/vendor';
const FILES = [
  `${JCO}/js-component-bindgen-component.core.wasm`,
  `${JCO}/js-component-bindgen-component.core2.wasm`,
  `${JCO}/wasm-tools.core.wasm`,
  `${JCO}/wasm-tools.core2.wasm`,
  '@yowasp/clang/gen/llvm.core2.wasm',
  '@yowasp/clang/gen/llvm.core3.wasm',
  '@yowasp/clang/gen/llvm.core4.wasm',
];

/** 75 MB: LLVM with clang and lld. */
export async function largestModule(): Promise<RealModule> {
  return fromFile('@yowasp/clang/gen/llvm.core.wasm');
}

/** 9 MB with SIMD, threads and exceptions: libvips; undefined before `npm run bench:peers`. */
export async function peerModule(): Promise<RealModule | undefined> {
  const folder = new URL('../../../../test/bench/peers/node_modules/@img/sharp-wasm32/lib/', import.meta.url);
  const files = await readdir(folder).catch(() => []);
  const file = files.find(name => name.endsWith('.wasm'));
  if (file === undefined) return undefined;
  return { name: `@img/sharp-wasm32/${file}`, bytes: new Uint8Array(await readFile(new URL(file, folder))) };
}

/** Modules that are files in packages, 0.8 kB to 3.5 MB. */
export async function moduleFiles(): Promise<RealModule[]> {
  return Promise.all(FILES.map(fromFile));
}

/**
 * Modules that packages, and Node itself, carry inside their scripts: binaryen (8.9 MB), amaro (2.8 MB), llhttp with
 * SIMD, a function of the AssemblyScript compiler. They are caught where the script hands them to the engine.
 */
export async function embeddedModules(): Promise<RealModule[]> {
  const found: RealModule[] = [];
  const capture = async (name: string, use: () => Promise<unknown>): Promise<void> => {
    const caught = await catching(use);
    if (caught.length === 0) throw new Error(`${name} compiles no module any more`);
    found.push(...caught.map((bytes, index) => ({ name: index === 0 ? name : `${name} ${index}`, bytes })));
  };
  await capture('amaro', async () => {
    const { stripTypeScriptTypes } = await import('node:module');
    stripTypeScriptTypes('let one: number = 1');
  });
  await capture('llhttp', fetchOnce);
  await capture('binaryen', async () => import(`${packages.href}binaryen/index.js`));
  await capture(
    'assemblyscript',
    async () => import(`${packages.href}assemblyscript/dist/assemblyscript.js`),
  );
  return found;
}

async function fromFile(name: string): Promise<RealModule> {
  return { name, bytes: new Uint8Array(await readFile(new URL(name, packages))) };
}

async function fetchOnce(): Promise<void> {
  const server = createServer((_request, response) => response.end('ok'));
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  try {
    const { port } = server.address() as AddressInfo;
    await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text();
  } finally {
    server.close();
  }
}

/** The bytes of every module that is compiled while `use` runs. */
async function catching(use: () => Promise<unknown>): Promise<Uint8Array[]> {
  const caught: Uint8Array[] = [];
  const api = WebAssembly as unknown as Record<string, (bytes: unknown, ...rest: unknown[]) => unknown>;
  const take = (bytes: unknown): void => {
    if (ArrayBuffer.isView(bytes))
      caught.push(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice());
    else if (bytes instanceof ArrayBuffer) caught.push(new Uint8Array(bytes).slice());
  };
  const { Module, compile, instantiate } = api;
  api.Module = new Proxy(Module!, {
    construct(target, parameters): object {
      take(parameters[0]);
      return Reflect.construct(target, parameters) as object;
    },
  });
  api.compile = (bytes, ...rest) => (take(bytes), compile!(bytes, ...rest));
  api.instantiate = (bytes, ...rest) => (take(bytes), instantiate!(bytes, ...rest));
  try {
    await use();
  } finally {
    Object.assign(api, { Module, compile, instantiate });
  }
  return caught;
}
