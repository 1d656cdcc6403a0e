"""pymodbus's server with RTU frames: on a serial line (two pseudo terminals, joined) and over TCP.

Prints "line PATH" (the end for the other side) and "port N". Register i of unit n (1 and 2) holds 1000 n + i.
"""

import asyncio
import os
import pty
import select
import threading
import tty

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
from pymodbus.transaction import ModbusRtuFramer


def unit(number):
    """Ten holding registers."""
    registers = ModbusSequentialDataBlock(0, [1000 * number + i for i in range(10)])
    return ModbusSlaveContext(hr=registers, zero_mode=True)


def join(one, other):
    """What is written to one terminal can be read at the other."""
    while True:
        for end in select.select([one, other], [], [])[0]:
            os.write(other if end == one else one, os.read(end, 4096))


async def main():
    """Serves until it is ended."""
    context = ModbusServerContext(slaves={1: unit(1), 2: unit(2)}, single=False)
    (near, near_line), (far, far_line) = pty.openpty(), pty.openpty()
    for line in (near_line, far_line):
        tty.setraw(line)
    threading.Thread(target=join, args=(near, far), daemon=True).start()
    serial = ModbusSerialServer(
        context, framer=ModbusRtuFramer, port=os.ttyname(far_line), baudrate=19200, parity="N", stopbits=2
    )
    await serial.start()
    print("line", os.ttyname(near_line), flush=True)
    tcp = ModbusTcpServer(context, framer=ModbusRtuFramer, address=("127.0.0.1", 0), allow_reuse_address=True)
    task = asyncio.ensure_future(tcp.serve_forever())
    await tcp.serving
    print("port", tcp.server.sockets[0].getsockname()[1], flush=True)
    await asyncio.gather(serial.serve_forever(), task)


asyncio.run(main())
