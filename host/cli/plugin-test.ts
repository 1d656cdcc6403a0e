import { join } from 'node:path';
import { SluiceError } from '../../runtime/index.js';
import { buildFolder } from '../plugin-tools/builder.js';
import { type PluginFile, readPlugin } from '../plugin-tools/plugin-file.js';
import { showDifference } from '../plugin-tools/show.js';
import { testVectors, type VectorReport } from '../plugin-tools/test-vectors.js';
import { readVectors, type Vector } from '../plugin-tools/vectors.js';
import { pickBuild } from '../plugins/simd-build.js';
import { EXIT } from './exit.js';

/**
 * Runs the vectors of a plugin through the real sandbox. `target` is its folder, which is built first if need be, or
 * a packed file, whose own vectors are run unless others are named.
 * @throws SluiceError of the build, of the file, SLUICE_PLUGIN_VECTORS
 */
export async function testPlugin(
  target: string,
  options: { vectors?: string; json?: boolean },
): Promise<number> {
  const isFile = target.endsWith('.wasm');
  const file = isFile ? pickBuild(target) : (await buildFolder(target, { onlyStale: true })).out;
  const plugin = await readPlugin(file);
  const path = options.vectors ?? (isFile ? undefined : join(target, 'vectors.json'));
  const vectors = path === undefined ? packed(plugin) : await readVectors(path);
  const report = await testVectors(plugin, vectors);
  const failed = report.verdicts.filter(({ differences }) => differences.length > 0).length;
  process.stdout.write(options.json ? json(plugin, report, failed) : text(plugin, report, failed));
  return failed === 0 ? EXIT.ok : EXIT.failure;
}

function packed({ file, manifest }: PluginFile): readonly Vector[] {
  if (manifest.vectors !== undefined && manifest.vectors.length > 0) return manifest.vectors;
  throw new SluiceError(
    'SLUICE_PLUGIN_VECTORS',
    `${file}: its manifest has no vectors; name a file with --vectors`,
  );
}

function json({ file, manifest }: PluginFile, { verdicts, notes }: VectorReport, failed: number): string {
  const { name, version } = manifest;
  const passed = verdicts.length - failed;
  const vectors = verdicts.map(each => ({ ...each, ok: each.differences.length === 0 }));
  return `${JSON.stringify({ plugin: name, version, file, passed, failed, vectors, notes })}\n`;
}

function text({ manifest }: PluginFile, { verdicts, notes }: VectorReport, failed: number): string {
  const lines: string[] = [];
  for (const { name, differences } of verdicts) {
    lines.push(`${differences.length === 0 ? 'ok  ' : 'FAIL'}  ${name}`, ...differences.map(showDifference));
  }
  for (const note of notes) lines.push(`note  ${note}`);
  lines.push(
    `${manifest.name} ${manifest.version}: ${verdicts.length} vectors in the sandbox, ${failed === 0 ? 'all as expected' : `${failed} not as expected`}`,
  );
  return `${lines.join('\n')}\n`;
}
