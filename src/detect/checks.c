/* The table of checks. */
#include "detect/detect.h"

const struct check checks[] = {
#define X(name, fn, after_gate, help) {name, fn, help, after_gate},
#include "detect/checks.def"
#undef X
    {NULL, NULL, NULL, false},
};
