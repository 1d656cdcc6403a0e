import { fileURLToPath } from 'node:url';
import { Program } from './program.js';

/** Debian's own: pymodbus is installed for it, and another python3 may come first on the path. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('../../../test/peers/pymodbus-device.py', import.meta.url));

/** pymodbus's server in a process of its own; what it holds is said in pymodbus-device.py. */
export class PymodbusDevice {
  readonly port: number;
  readonly #program: Program;

  private constructor(port: number, program: Program) {
    this.port = port;
    this.#program = program;
  }

  /** @param port 0: any that is free */
  static async start(port = 0): Promise<PymodbusDevice> {
    const program = new Program(PYTHON, [SCRIPT, String(port)]);
    const [, told] = await program.said(/^port (\d+)$/m);
    return new PymodbusDevice(Number(told), program);
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }
}
