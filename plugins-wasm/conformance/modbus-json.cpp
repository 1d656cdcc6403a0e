// Built as a core module: the fast path.
#include "modbus-json.h"

SLUICE_CONVERTER(convert, configure, sluice_no_flush)
