/*
 * Answers that are made aside: the API has one thread, and what reads a whole store (aside.def) is not to keep alerts waiting. There are lanes, each a
 * worker with connections of its own to the stores, opened at its first work and closed after ten idle minutes. The request is copied, with what
 * its token allows; the connection rests until its answer is there.
 *
 * Nothing that needs the API's own state (sessions, tokens, break-glass, the worker with the engine) may be done here: a handler finds none of it.
 */
#ifndef API_ASIDE_H
#define API_ASIDE_H
#include "api/api.h"

enum { ASIDE_LANES = 2 };

struct aside;
/* stores are the API's, borrowed, and asked for their names only. */
int aside_new(const char *state_dir, struct store *const *stores, size_t n, struct aside **out, struct vdt_error *err);
/* Whether this handler is one of aside.def, and there is a place for it. a may be NULL. */
bool aside_takes(const struct aside *a, api_handler *handler);
/* The handler's work for this request; api is what the token may see of the API. NULL: out of memory. */
struct work *aside_work(struct aside *a, api_handler *handler, const struct api *api, const struct api_request *request);
/* Answers what waits with 503 and ends the threads. Accepts NULL. */
void aside_stop(struct aside *a);
void aside_free(struct aside *a);
#endif
