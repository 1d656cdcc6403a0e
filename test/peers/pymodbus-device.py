"""pymodbus's server as a device: function 1 to 4 of units 1 and 2, values that depend on unit and address.

Prints "port N" when it listens. Unit 1 has addresses 0 to 99, unit 2 has 0 to 9 only.
"""

import asyncio
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusTcpServer


def unit(number, size):
    """Coils, discrete inputs, holding and input registers; each kind has values of its own."""
    return ModbusSlaveContext(
        co=ModbusSequentialDataBlock(0, [(i + number) % 3 == 0 for i in range(size)]),
        di=ModbusSequentialDataBlock(0, [(i + number) % 2 == 0 for i in range(size)]),
        hr=ModbusSequentialDataBlock(0, [1000 * number + i for i in range(size)]),
        ir=ModbusSequentialDataBlock(0, [65535 - 1000 * number - i for i in range(size)]),
        zero_mode=True,
    )


async def main():
    """Serves until it is ended."""
    context = ModbusServerContext(slaves={1: unit(1, 100), 2: unit(2, 10)}, single=False)
    port = int(sys.argv[1])
    server = ModbusTcpServer(context, address=("127.0.0.1", port), allow_reuse_address=True)
    task = asyncio.ensure_future(server.serve_forever())
    await server.serving
    print("port", server.server.sockets[0].getsockname()[1], flush=True)
    await task


asyncio.run(main())
