import type { BenchResult } from '../report.js';
export async function sandboxTax(): Promise<BenchResult> { throw new Error('x'); }
