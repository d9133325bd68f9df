/*
 * The simulated model: an HTTP server that answers like a model deployment, always the same for the same request.
 *
 * For trials and tests. It is steered by directives in the last user message (directives.def) and by a few phrases (leaks.def). It
 * never looks at credentials. It is no part of the protection: nothing but `vedette run` and `vedette model-sim` starts it.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H
#include "base/str.h"
#include "vedette/vedette.h"

struct sim;

struct sim_options {
  const char *listen;        /* "127.0.0.1:PORT" (0: any free one) or "unix:PATH" */
  const char *echo_requests; /* file that gets each received body as a line {"path", "body"}; NULL for none */
};

/* Listens and serves on threads of its own. On failure err says why. */
int sim_start(const struct sim_options *options, struct sim **out, struct vdt_error *err);
/* Where it listens, with the real port. */
const char *sim_address(const struct sim *sim);
/* Stops, waits for what is in flight, removes the socket. Accepts NULL. */
void sim_stop(struct sim *sim);
#endif
