/** Holds a built file against what the gateway does with it when it loads it. */
import {
  admit,
  defaultRules,
  moduleKind,
  type Rules,
  readManifest,
  readSections,
} from '../../runtime/index.js';

/** What the gateway grants where its configuration says nothing else. */
const GRANTED = 16 << 20;
/** Sections of a component (component-model, Binary.md): a core module, a component inside. */
const CORE_MODULE = 1;
const COMPONENT = 4;

/**
 * Memory is granted as the manifest asks for it, as an operator may do.
 * @throws SluiceError SLUICE_MODULE_*, SLUICE_MANIFEST_INVALID, SLUICE_ABI_UNSUPPORTED
 */
export function checkBuilt(bytes: Uint8Array): void {
  const found = readManifest(bytes);
  if (found === undefined) return;
  const { name, kind, limits } = found.manifest;
  const rules = defaultRules(name, limits.memory ?? GRANTED);
  if (moduleKind(bytes) === 'core') admit(bytes, kind, rules);
  else checkComponent(bytes, rules);
}

function checkComponent(bytes: Uint8Array, rules: Rules): void {
  for (const { id, start, end } of readSections(bytes)) {
    if (id === CORE_MODULE) admit(bytes.subarray(start, end), 'inside a component', rules);
    else if (id === COMPONENT) checkComponent(bytes.subarray(start, end), rules);
  }
}
