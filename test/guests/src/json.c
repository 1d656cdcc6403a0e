/* json.cpp is C as well. */
#include "json.cpp"
