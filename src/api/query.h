/*
 * The query of the routes of our own: parameters that are named, and nothing else. Names that there are not, numbers and times that are none and
 * values that are too long are answered with 400 and a sentence that says which; values are never quoted.
 */
#ifndef API_QUERY_H
#define API_QUERY_H
#include "api/api.h"

enum { QUERY_VALUE_MAX = 4096 };

/* No parameter but those of the list, which ends with NULL; none longer than QUERY_VALUE_MAX. false: it has answered. */
bool query_known(const struct api_request *r, const char *const *names, struct api_response *response);
/* The value of a parameter that is there once; empty when it is not there. */
struct str query_text(const struct api_request *r, const char *name);
/* All values of a parameter as a JSON array of strings in the arena; empty when it is not there. false: it has answered. */
bool query_list(struct api *api, const struct api_request *r, const char *name, struct api_response *response, struct str *out);
/* One of the values is this one, or the parameter is not there. */
bool query_allows(const struct api_request *r, const char *name, struct str value);
/* A time like 2026-11-25T00:00:00Z as microseconds; 0 when it is not there. false: it has answered. */
bool query_time(const struct api_request *r, const char *name, struct api_response *response, uint64_t *us);
/* A number in the range; *n stays when it is not there. false: it has answered. */
bool query_number(const struct api_request *r, const char *name, uint64_t least, uint64_t most, struct api_response *response,
                  uint64_t *n);
#endif
