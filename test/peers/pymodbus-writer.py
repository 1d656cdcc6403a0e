"""pymodbus's client as a device that pushes: writes with functions 5, 6, 15 and 16 to the server at port N.

Prints one line for each answer: the function, then ok or the exception's code.
"""

import sys

from pymodbus.client import ModbusTcpClient


def main():
    """Writes and tells what came back."""
    client = ModbusTcpClient("127.0.0.1", port=int(sys.argv[1]), timeout=60, retries=0)
    if not client.connect():
        sys.exit("no connection")
    answers = [
        client.write_coil(3, True, slave=2),
        client.write_register(10, 4321, slave=2),
        client.write_coils(0, [True, False, True, True, False, False, False, False, True], slave=2),
        client.write_registers(100, list(range(1, 124)), slave=2),
        client.read_holding_registers(0, 2, slave=2),
        client.write_register(500, 1, slave=2),
    ]
    for answer in answers:
        code = answer.function_code & 0x7F
        print(code, answer.exception_code if answer.isError() else "ok")
    client.close()


main()
