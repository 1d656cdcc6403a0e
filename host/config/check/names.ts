import type { Path } from '../problem.js';

/** A name and where it stands. */
export interface Named {
  readonly name: string;
  readonly path: Path;
}

export interface RouteNames {
  readonly path: Path;
  readonly name: Named | undefined;
  readonly from: readonly Named[];
  readonly through: readonly Named[];
  /** Undefined: all sinks. */
  readonly to: readonly Named[] | undefined;
}

export interface Names {
  readonly sources: readonly string[];
  readonly sinks: readonly string[];
  readonly routes: readonly RouteNames[];
  /** Plugins that are granted something of their own. */
  readonly grants: readonly Named[];
}

/** The names in a configuration of any shape; what is not of the schema is passed over. */
export function namesOf(value: unknown): Names {
  const root = map(value);
  const plugins = map(root.plugins);
  return {
    grants: [
      ...Object.keys(map(plugins.grants)).map(name => ({ name, path: ['plugins', 'grants', name] })),
      ...Object.keys(map(map(plugins.policy).grants)).map(name => ({
        name,
        path: ['plugins', 'policy', 'grants', name],
      })),
    ],
    sources: Object.keys(map(root.sources)),
    sinks: Object.keys(map(root.sinks)),
    routes: list(root.routes).map((item, index) => {
      const route = map(item);
      const path = ['routes', index];
      return {
        path,
        name: typeof route.name === 'string' ? { name: route.name, path: [...path, 'name'] } : undefined,
        from: named(route.from, [...path, 'from']),
        through: list(route.through).flatMap((step, place) => stepName(step, [...path, 'through', place])),
        to: route.to === undefined ? undefined : named(route.to, [...path, 'to']),
      };
    }),
  };
}

function named(value: unknown, path: Path): Named[] {
  if (typeof value === 'string') return [{ name: value, path }];
  return list(value).flatMap((name, index) =>
    typeof name === 'string' ? { name, path: [...path, index] } : [],
  );
}

function stepName(step: unknown, path: Path): Named[] {
  if (typeof step === 'string') return [{ name: step, path }];
  const { plugin } = map(step);
  return typeof plugin === 'string' ? [{ name: plugin, path: [...path, 'plugin'] }] : [];
}

function map(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
