/*
 * GET /vedette/events: pages are told that alerts have changed (server-sent events, WHATWG HTML 9.2), instead of asking every few seconds.
 *
 * What is sent says only that something changed in the workspaces that the listener reaches: no alert, no name, no number of them. Whoever is told asks as
 * ever, and gets what his role shows. A listener is a connection that rests; a thread looks twice a second at a counter of each workspace (store.h) and wakes
 * those that are concerned, and each every ten seconds, so that proxies keep it and one that is gone is found out. Then it is asked again whether
 * whoever listens still may. At most LISTENERS_MAX, LISTENERS_EACH of one token: one more takes the place of the token's oldest.
 */
#ifndef API_LISTEN_H
#define API_LISTEN_H
#include "api/api.h"

enum {
  LISTENERS_MAX = 64,
  LISTENERS_EACH = 16,
  LISTEN_TICK_MS = 500,
  LISTEN_BEAT_S = 10,
  LISTEN_LIFE_S = 600,
  LISTEN_TEXT = 128
};

struct listeners;
/* EIO, ENOMEM. */
int listeners_new(struct auth *auth, struct listeners **out, struct vdt_error *err);
/* Everybody is sent away, and nobody is let in any more. Accepts NULL. For any thread. */
void listeners_hang_up(struct listeners *ls);
/* After the connections are gone. Accepts NULL. */
void listeners_free(struct listeners *ls);
/* How many there are. */
size_t listeners_count(struct listeners *ls);

struct listener;
/* For what api can see of the stores, on behalf of r->grant; r->last_event: what it heard last, or empty. NULL: it has answered. */
struct listener *listener_new(struct listeners *ls, const struct api *api, const struct api_request *r,
                              struct api_response *response);
void listener_free(struct listener *l);

/* How its connection rests and is woken: wake() is called once for each rest(), by any thread, and neither may call anything here. */
struct listen_rest {
  void (*rest)(void *ctx);
  void (*wake)(void *ctx);
  void *ctx;
};
/* What it is to be told now, in the API's thread. LISTEN_SAY: what stands in out; LISTEN_REST: nothing, and it rests; LISTEN_END: it is over. */
enum listen_next { LISTEN_SAY, LISTEN_REST, LISTEN_END };
enum listen_next listener_next(struct listener *l, uint64_t now_us, const struct listen_rest *how, char out[LISTEN_TEXT],
                               size_t *n);
#endif
