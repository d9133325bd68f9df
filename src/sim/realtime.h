/* The simulated model's Realtime API: one WebSocket session after its handshake. */
#ifndef SIM_REALTIME_H
#define SIM_REALTIME_H
#include "base/buf.h"

struct realtime_start {
  char model[96];
  bool preview; /* events have the names of the preview */
  void (*echo)(void *ctx, struct str path, struct str body);
  void *ctx;
};

/* The value of Sec-WebSocket-Accept for a key; out has room for 29 bytes. */
void realtime_accept(struct str key, char out[29]);
/* Speaks on fd until either side ends it. Does not close it. */
void realtime_serve(int fd, const struct realtime_start *start);
#endif
