/*
 * The control API without its transport: a request in, a response out. http.c brings the two to libmicrohttpd.
 */
#ifndef API_API_H
#define API_API_H
#include "api/auth.h"
#include "api/collect.h"
#include "api/feeds.h"
#include "api/geo.h"
#include "api/unseal.h"
#include "store/store.h"

struct worker;
struct work;
struct proof;
struct listeners;
struct listener;
struct aside;

struct api {
  const char *state_dir;
  struct auth *auth;
  struct store **stores; /* connections of its own: used by the API's thread only */
  size_t n_stores;
  const bool
      *evidence; /* of each store's workspace, where no token narrows them: the configuration keeps prompt evidence somewhere */
  struct unseal unseal; /* where the keys of evidence are */
  const struct collect_stats *stats;
  struct feeds *feeds;      /* or NULL */
  struct geo *geo;          /* or NULL */
  struct oidc *oidc;        /* or NULL */
  struct glass *glass;      /* or NULL */
  struct code_flow *flow;   /* sign-ins by redirect; or NULL: no provider has them */
  const char *const *hosts; /* names that the control API is reached by, besides addresses and localhost */
  size_t n_hosts;
  struct keep *keep;           /* or NULL */
  struct proof *proof;         /* holds the disk against the data statement */
  struct worker *worker;       /* does what needs the engine, or NULL */
  struct aside *aside;         /* answers what reads much, or NULL: then the API's thread does it */
  struct worker *errands;      /* asks others outside, for whom nobody here waits; or NULL */
  struct listeners *listeners; /* who is told of changes, or NULL */
  const char *engine;          /* which rules and model it has, or NULL */
  struct vdt_arena *arena;     /* emptied at each request */
};

struct api_argument {
  struct str name, value;
};
enum { API_ARGUMENTS = 32, API_COOKIE = 256 };

struct api_request {
  struct str method, path; /* path: percent-decoded, without query */
  struct str authorization, host, forwarded_proto;
  struct str cookie, csrf, origin, fetch_site; /* what browsers send */
  struct str break_glass;                      /* a reason, see glass.h */
  struct str last_event;                       /* of who listens again, see listen.h */
  struct str source;                           /* the client's address, as nginx says it; empty: who is at the socket itself */
  struct str api_version, skip_token, alert_type, filter;
  struct str body;
  struct api_argument arguments[API_ARGUMENTS]; /* of the query, percent-decoded, as they stand there */
  size_t n_arguments;
  bool too_many_arguments;
  /* Set by the router. */
  struct str sub, rg, loc, ws, name;
  int argument;
  char who[OIDC_NAME_MAX + 8];
  bool evidence;         /* the answer may have prompt evidence */
  bool without_evidence; /* the caller wants none: vedette-evidence=false */
  bool glass;            /* ... by break-glass */
  const struct auth_grant *grant;
  struct str session; /* what the cookie says, when that is what the caller shows; else empty */
  bool by_link;       /* of a sign-in */
};

struct api_response {
  unsigned status;
  const char *type;               /* NULL: no body */
  char allow[32];                 /* for 405 */
  unsigned retry_after_s;         /* for 429 */
  char cookie[API_COOKIE];        /* Set-Cookie, or empty */
  char signin_cookie[API_COOKIE]; /* another one */
  char location[1024];            /* for 202: where to ask what came of it */
  struct buf body;
  struct listener *listener; /* the answer is what it is told, from now on (listen.h): then nothing else counts */
  struct work *
      work; /* the worker is to answer (worker.h): then nothing else counts. Whoever called api_handle gives it to him, or drops it. */
};

/* The API as a grant for these workspaces sees it; out->stores are in the arena. false: it has answered. */
bool api_narrow(const struct api *api, struct str workspaces, struct api *out, struct api_response *response);
/* Always gives a complete response. */
void api_handle(struct api *api, struct api_request *request, struct api_response *response);
/* The error body of ARM: {"error":{"code","message"}}. */
void api_error(struct api_response *response, unsigned status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

typedef void api_handler(struct api *api, const struct api_request *request, struct api_response *response);
#define X(method, template, role, versions, handler, argument) api_handler api_##handler;
#include "api/routes.def"
#undef X

/* The HTTP server on a Unix socket that is listening already. */
struct http;
int http_start(struct api *api, int listen_fd, struct http **out, struct vdt_error *err);
void http_stop(struct http *http);
#endif
