/* openapi.json as it stands in the program. */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H
#include "base/str.h"

struct str openapi_text(void);
#endif
