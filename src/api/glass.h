/*
 * Break-glass: an operator, whose role sees no prompt evidence, opens it for a bounded time, or for one request, by giving a reason. It is never silent:
 * before anything is given out the reason is in the audit log of every workspace that the token reaches, and what cannot be written there is not
 * opened; the log of the process has a line, the metrics count it, and the overview shows it for a day. The configuration can switch it off.
 */
#ifndef API_GLASS_H
#define API_GLASS_H
#include "api/api.h"

enum { GLASS_OPEN_MAX = SESSION_PANES, GLASS_REASON_MIN = 10, GLASS_REASON_MAX = 500 };

struct glass {
  uint64_t for_us;           /* how long it stays open; 0: switched off */
  uint64_t count;            /* since the start */
  struct session_pane *open; /* GLASS_OPEN_MAX, each by the tie of a grant; borrowed */
};

/* open: where it is kept, with what stands open of a control process before this one, which is never longer than for_us from now on. */
void glass_begin(struct glass *g, struct session_pane *open, uint64_t for_us);

/* Until when it is open for this caller, Unix time; 0: it is not. Accepts NULL. */
uint64_t glass_until(const struct glass *g, const struct auth_grant *grant);
/* How many have it open now. Accepts NULL. */
size_t glass_open_now(const struct glass *g);
/* Before a handler that may give evidence: r->evidence becomes true where the glass is open, or the request brings a reason of its own. api: as the caller
 * may see it. false: it has said what is wrong. */
bool glass_apply(struct api *api, struct api_request *r, struct api_response *response);
#endif
