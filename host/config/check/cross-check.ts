import type { Origins } from '../origins.js';
import type { Named, Names } from './names.js';
import { suggest } from './suggest.js';

/** Names that must meet: those of routes with those of sources and sinks. */
export function checkRoutes(names: Names, origins: Origins): void {
  const { sources, sinks, routes } = names;
  const taken = new Set<string>();
  for (const { name, from, to } of routes) {
    if (name !== undefined && taken.has(name.name)) {
      origins.error(name.path, `another route is called "${name.name}" too`);
    }
    if (name !== undefined) taken.add(name.name);
    checkKnown('source', from, sources, origins);
    checkKnown('sink', to ?? [], sinks, origins);
  }

  // A warning: a plugin that no route names may still take the source, by its `accepts`.
  if (routes.length === 0) return;
  const read = new Set(routes.flatMap(route => route.from.map(({ name }) => name)));
  for (const name of sources) {
    if (read.has(name)) continue;
    const text = 'no route reads this source: it is not started, unless a plugin takes it by its `accepts`';
    origins.warning(['sources', name], text, { code: 'SLUICE_SOURCE_UNUSED', at: 'key' });
  }
  const written = new Set(routes.flatMap(route => route.to?.map(({ name }) => name) ?? sinks));
  for (const name of sinks) {
    if (!written.has(name)) origins.warning(['sinks', name], 'no route writes to this sink', { at: 'key' });
  }
}

function checkKnown(
  what: string,
  wanted: readonly Named[],
  known: readonly string[],
  origins: Origins,
): void {
  for (const { name, path } of wanted) {
    if (known.includes(name)) continue;
    const choices = known.length === 0 ? 'there is none' : `there is ${known.join(', ')}`;
    origins.error(path, `no ${what} is called "${name}" (${choices})`, { suggestion: suggest(name, known) });
  }
}

/**
 * Plugins that routes name and that are not there. One that is nearly there is a typo; one that is not there at
 * all may still be dropped into the folder, so that is a warning.
 * @param dir the plugin folder @param known names of those in it
 * @param misspelt what a typo is
 */
export function checkPlugins(
  names: Names,
  dir: string,
  known: readonly string[],
  misspelt: 'error' | 'warning',
  origins: Origins,
): void {
  for (const { name, path } of names.grants) {
    if (known.includes(name)) continue;
    const text = `the plugin folder has no plugin "${name}" that this could be granted to`;
    const detail = { code: 'SLUICE_PLUGIN_UNKNOWN', suggestion: suggest(name, known), at: 'key' } as const;
    origins.warning(path, text, detail);
  }
  for (const { name, path } of names.routes.flatMap(route => route.through)) {
    if (known.includes(name)) continue;
    // press-1 and press-2 are two plugins, not one and a typo.
    const others = known.filter(other => withoutDigits(other) !== withoutDigits(name));
    const suggestion = suggest(name, others);
    const detail = { code: 'SLUICE_PLUGIN_UNKNOWN', suggestion } as const;
    if (suggestion === undefined)
      origins.warning(path, `the plugin folder ${dir} has no plugin "${name}" yet`, detail);
    else origins[misspelt](path, `the plugin folder has no plugin "${name}"`, detail);
  }
}

function withoutDigits(name: string): string {
  return name.replaceAll(/[-_]?\d+/g, '');
}
