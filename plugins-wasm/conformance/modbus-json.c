/* Built as a component: the portable path. */
#include "modbus-json.h"

SLUICE_CONVERTER(convert, configure, sluice_no_flush)
