/*
 * The control API without its transport: a request in, a response out. http.c brings the two to libmicrohttpd.
 */
#ifndef API_API_H
#define API_API_H
#include "api/auth.h"
#include "api/collect.h"
#include "store/store.h"

struct api {
  const char *state_dir;
  struct store **stores; /* connections of its own: used by the API's thread only */
  size_t n_stores;
  const struct collect_stats *stats;
  struct vdt_arena *arena; /* emptied at each request */
};

struct api_request {
  struct str method, path; /* path: percent-decoded, without query */
  struct str authorization, host, forwarded_proto;
  struct str api_version, skip_token;
  /* Set by the router. */
  struct str sub, rg, loc, name;
  int argument;
  char who[80];
};

struct api_response {
  unsigned status;
  const char *type;  /* NULL: no body */
  const char *allow; /* for 405 */
  struct buf body;
};

/* Always gives a complete response. */
void api_handle(struct api *api, struct api_request *request, struct api_response *response);
/* The error body of ARM: {"error":{"code","message"}}. */
void api_error(struct api_response *response, unsigned status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

typedef void api_handler(struct api *api, const struct api_request *request, struct api_response *response);
api_handler api_healthz, api_metrics, api_alerts_list, api_alerts_get, api_alerts_status;

/* The HTTP server on a Unix socket that is listening already. */
struct http;
int http_start(struct api *api, int listen_fd, struct http **out, struct vdt_error *err);
void http_stop(struct http *http);
#endif
