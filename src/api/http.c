/* The control API on libmicrohttpd: one thread, one Unix socket. nginx is in front of it; what it must not pass on is still refused here. */
#include "api/aside.h"
#include "api/listen.h"
#include "api/worker.h"
#include "base/clock.h"
#include "base/error.h"
#include <microhttpd.h>
#include <sodium.h>
#include <stdatomic.h>
#include <unistd.h>

enum { LAST_MS = 1000, CONNECTIONS = 256, TIMEOUT_S = 30, BODY_MAX = 65536, HEADER_MEMORY = 32768 };

struct http {
  struct MHD_Daemon *daemon;
  struct api *api;
  _Atomic unsigned resting; /* connections whose answer a worker makes */
};

/* Kept between the calls for one request. What is over the limit is counted and thrown away. */
struct pending {
  size_t size;
  struct buf body;
  struct MHD_Connection *connection;
  struct work *work; /* the worker's, until it is done: then the answer is in it */
  struct listener *listener;
};

static struct str header(struct MHD_Connection *c, const char *name)
{
  return str_of(MHD_lookup_connection_value(c, MHD_HEADER_KIND, name));
}

/* A NUL would end a value where its check still had to come. It becomes another control character, which no value may have either. */
static size_t unescape(void *ctx, struct MHD_Connection *c, char *text)
{
  (void)ctx;
  (void)c;
  for (char *p = text; (p = strstr(p, "%00")); p += 3) p[2] = '1';
  return MHD_http_unescape(text);
}

static enum MHD_Result take_argument(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
  struct api_request *r = ctx;
  (void)kind;
  if (r->n_arguments == API_ARGUMENTS) r->too_many_arguments = true;
  else r->arguments[r->n_arguments++] = (struct api_argument){str_of(key), str_of(value)};
  if (str_ieq(str_of(key), STR("api-version"))) r->api_version = str_of(value);
  else if (str_ieq(str_of(key), STR("$skipToken"))) r->skip_token = str_of(value);
  else if (str_ieq(str_of(key), STR("AlertType"))) r->alert_type = str_of(value);
  else if (str_ieq(str_of(key), STR("$filter"))) r->filter = str_of(value);
  else if (str_ieq(str_of(key), STR("vedette-evidence"))) r->without_evidence = str_ieq(str_of(value), STR("false"));
  return MHD_YES;
}

static const struct {
  const char *name, *value;
} always[] = {
#define X(name, value) {name, value},
#include "api/headers.def"
#undef X
};

static void put_always(struct MHD_Response *r)
{
  for (size_t i = 0; i < sizeof always / sizeof *always; i++) MHD_add_response_header(r, always[i].name, always[i].value);
}

static enum MHD_Result reply(struct MHD_Connection *c, struct api_response *out)
{
  struct MHD_Response *r = MHD_create_response_from_buffer(out->body.n, out->body.p, MHD_RESPMEM_MUST_COPY);
  buf_finish(&out->body);
  if (!r) return MHD_NO;
  if (out->type) MHD_add_response_header(r, "Content-Type", out->type);
  if (out->status == 405) MHD_add_response_header(r, "Allow", out->allow);
  if (out->location[0]) {
    MHD_add_response_header(r, "Location", out->location);
    MHD_add_response_header(r, "Azure-AsyncOperation", out->location);
    MHD_add_response_header(r, "x-ms-status-location", out->location);
  }
  if (out->retry_after_s) {
    char seconds[16];
    snprintf(seconds, sizeof seconds, "%u", out->retry_after_s);
    MHD_add_response_header(r, "Retry-After", seconds);
  }
  if (out->status == 401) MHD_add_response_header(r, "WWW-Authenticate", "Bearer realm=\"vedette\"");
  if (out->cookie[0]) MHD_add_response_header(r, "Set-Cookie", out->cookie);
  if (out->signin_cookie[0]) MHD_add_response_header(r, "Set-Cookie", out->signin_cookie);
  put_always(r);
  enum MHD_Result ok = MHD_queue_response(c, out->status, r);
  MHD_destroy_response(r);
  return ok;
}

/* In the worker's thread: the connection goes on, and answer() is called again. */
static void work_is_done(void *pending)
{
  struct pending *p = pending;
  MHD_resume_connection(p->connection);
}

/* The connection rests meanwhile. Its order: once the work is given away, it may be done at once. */
static enum MHD_Result wait_for(struct http *h, struct MHD_Connection *c, struct pending *p, struct work *work)
{
  work->done = work_is_done;
  work->ctx = p;
  p->work = work;
  p->connection = c;
  h->resting++;
  MHD_suspend_connection(c);
  if (worker_give(work->by ? work->by : h->api->worker, work)) return MHD_YES;
  api_error(&work->response, 503, "TooManyRequests", "Others are waiting for the same already; try again in some seconds.");
  work->response.retry_after_s = 2;
  MHD_resume_connection(c);
  return MHD_YES;
}

/* ---- listeners --------------------------------------------------------------------------------------------------- */

static void rest(void *connection)
{
  MHD_suspend_connection(connection);
}

static void wake(void *connection)
{
  MHD_resume_connection(connection);
}

static ssize_t tell(void *ctx, uint64_t at, char *out, size_t room)
{
  struct pending *p = ctx;
  char text[LISTEN_TEXT];
  size_t n;
  (void)at;
  enum listen_next next = listener_next(p->listener, clock_mono_us(), &(struct listen_rest){rest, wake, p->connection}, text, &n);
  if (next == LISTEN_REST) return 0;
  if (next == LISTEN_END || n > room) return MHD_CONTENT_READER_END_OF_STREAM;
  memcpy(out, text, n);
  return (ssize_t)n;
}

static enum MHD_Result listen_from(struct MHD_Connection *c, struct pending *p, struct listener *listener)
{
  struct MHD_Response *r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1024, tell, p, NULL);
  p->listener = listener;
  p->connection = c;
  if (!r) return MHD_NO;
  MHD_add_response_header(r, "Content-Type", "text/event-stream");
  put_always(r);
  enum MHD_Result ok = MHD_queue_response(c, 200, r);
  MHD_destroy_response(r);
  return ok;
}

static enum MHD_Result answer(void *ctx, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                              const char *body, size_t *body_n, void **state)
{
  struct http *h = ctx;
  struct pending *p = *state;
  (void)version;
  if (!p) {
    *state = calloc(1, sizeof *p);
    return *state ? MHD_YES : MHD_NO;
  }
  if (p->work) {
    if (p->work->finish) p->work->finish(p->work, h->api);
    return reply(c, &p->work->response);
  }
  if (*body_n) {
    p->size += *body_n;
    if (p->size <= BODY_MAX) buf_put(&p->body, (struct str){body, *body_n});
    *body_n = 0;
    return MHD_YES;
  }
  struct api_request request = {.method = str_of(method),
                                .path = str_of(url),
                                .authorization = header(c, "Authorization"),
                                .host = header(c, "Host"),
                                .cookie = header(c, "Cookie"),
                                .csrf = header(c, "X-Vedette-CSRF"),
                                .origin = header(c, "Origin"),
                                .fetch_site = header(c, "Sec-Fetch-Site"),
                                .break_glass = header(c, "X-Vedette-Break-Glass"),
                                .last_event = header(c, "Last-Event-ID"),
                                .source = header(c, "X-Real-IP"),
                                .forwarded_proto = header(c, "X-Forwarded-Proto"),
                                .body = buf_str(&p->body)};
  struct api_response response = {0};
  MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND, take_argument, &request);
  if (p->size > BODY_MAX) api_error(&response, 413, "RequestEntityTooLarge", "A body may have %d bytes.", BODY_MAX);
  else if (p->body.failed) api_error(&response, 503, "ServiceUnavailable", "Out of memory.");
  else api_handle(h->api, &request, &response);
  if (response.listener) return listen_from(c, p, response.listener);
  if (response.work) return wait_for(h, c, p, response.work);
  return reply(c, &response);
}

static void completed(void *ctx, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode code)
{
  struct http *h = ctx;
  (void)c;
  (void)code;
  struct pending *p = *state;
  if (p && p->work) {
    p->work->drop(p->work);
    h->resting--;
  }
  if (p) listener_free(p->listener);
  if (p && p->body.p) sodium_memzero(p->body.p, p->body.cap); /* it may be a text to scan, or a token */
  if (p) buf_finish(&p->body);
  free(p);
  *state = NULL;
}

int http_start(struct api *api, int listen_fd, struct http **out, struct vdt_error *err)
{
  struct http *h = calloc(1, sizeof *h);
  if (!h) return error_set(err, VDT_ENOMEM, "out of memory");
  h->api = api;
  h->daemon = MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, answer,
                               h, MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
                               MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                               (size_t)HEADER_MEMORY, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_NOTIFY_COMPLETED,
                               completed, h, MHD_OPTION_END);
  if (!h->daemon) {
    free(h);
    return error_set(err, VDT_EIO, "the control API cannot be started");
  }
  *out = h;
  return VDT_OK;
}

void http_stop(struct http *h)
{
  if (!h) return;
  worker_stop(h->api->errands);
  worker_stop(h->api->worker); /* no connection may rest when the daemon stops */
  aside_stop(h->api->aside);
  listeners_hang_up(h->api->listeners);
  for (unsigned ms = 0; (h->resting || (h->api->listeners && listeners_count(h->api->listeners))) && ms < LAST_MS; ms += 5)
    usleep(5000);
  MHD_stop_daemon(h->daemon);
  free(h);
}
