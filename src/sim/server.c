/* Serves the simulated model with libmicrohttpd, one thread per connection: an answer may sleep between its events. */
#include "base/buf.h"
#include "base/error.h"
#include "base/quote.h"
#include "sim/judge.h"
#include "sim/realtime.h"
#include "sim/reply.h"
#include "sim/sim.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>

enum { MAX_BODY = 64 << 20, MAX_CONNECTIONS = 12000, STACK = 256 << 10, IDLE_SECONDS = 120 };

struct sim {
  struct MHD_Daemon *daemon;
  int fd, echo_fd;
  pthread_mutex_t echo;
  pthread_mutex_t lock; /* of sessions */
  pthread_cond_t left;
  struct session *sessions;
  char address[128];
  char socket_path[108];
  ino_t socket_file; /* of socket_path: what stands there later may be another server's */
};

/* ---- one request ------------------------------------------------------------------------------------------------ */

struct exchange {
  struct buf body;
  bool too_big;
};

/* The answer on its way: written from start on, in the pieces that the script asks for. */
struct flight {
  struct reply reply;
  size_t at, event;
  unsigned slow_ms;
  long break_after;
  bool cut, gzip;
  uint64_t cut_seed;
};

static void flight_free(void *cls)
{
  struct flight *f = cls;
  reply_finish(&f->reply);
  free(f);
}

static void sleep_ms(unsigned ms)
{
  const struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
  if (ms) nanosleep(&t, NULL);
}

static size_t event_end(const struct flight *f)
{
  return f->event < f->reply.n_events ? f->reply.ends[f->event] : f->reply.body.n;
}

static size_t cut_at(struct flight *f, size_t end)
{
  f->cut_seed = f->cut_seed * 6364136223846793005u + 1442695040888963407u;
  size_t piece = 1 + (size_t)((f->cut_seed >> 33) % 97);
  sleep_ms(1); /* so that the pieces are read one by one, and not joined in the socket */
  return f->at + piece < end ? f->at + piece : end;
}

/* The next piece: with cuts they end anywhere, without them at the end of an event. */
static ssize_t read_piece(void *cls, uint64_t pos, char *to, size_t max)
{
  struct flight *f = cls;
  (void)pos;
  if (f->break_after >= 0 && f->event >= (size_t)f->break_after) return MHD_CONTENT_READER_END_WITH_ERROR;
  if (f->at == f->reply.body.n) return MHD_CONTENT_READER_END_OF_STREAM;
  bool begins = f->event == 0 ? f->at == 0 : f->at == f->reply.ends[f->event - 1];
  if (begins) sleep_ms(f->slow_ms);
  size_t end = event_end(f);
  if (f->cut) end = cut_at(f, f->break_after >= 0 ? event_end(f) : f->reply.body.n);
  if (end - f->at > max) end = f->at + max;
  size_t n = end - f->at;
  memcpy(to, f->reply.body.p + f->at, n);
  f->at = end;
  while (f->event < f->reply.n_events && f->at >= f->reply.ends[f->event]) f->event++;
  return (ssize_t)n;
}

/* Compresses the whole body, with a flush behind each event so that it can be read as it comes. Ends move with it. */
static bool compress_reply(struct reply *r)
{
  z_stream z = {0};
  struct buf out = {0};
  size_t from = 0;
  if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return false;
  for (size_t i = 0; i <= r->n_events && !out.failed; i++) {
    size_t to = i < r->n_events ? r->ends[i] : r->body.n;
    z.next_in = (unsigned char *)r->body.p + from;
    z.avail_in = (unsigned)(to - from);
    from = to;
    do {
      if (!buf_reserve(&out, 16384)) break;
      z.next_out = (unsigned char *)out.p + out.n;
      z.avail_out = 16384;
      deflate(&z, i < r->n_events ? Z_SYNC_FLUSH : Z_FINISH);
      out.n += 16384 - z.avail_out;
    } while (z.avail_out == 0);
    if (i < r->n_events) r->ends[i] = out.n;
  }
  deflateEnd(&z);
  bool ok = !out.failed;
  buf_finish(&r->body);
  r->body = out;
  return ok;
}

static bool streams(const struct reply *r)
{
  return r->sse || r->lines;
}

static enum MHD_Result send_flight(struct MHD_Connection *c, struct flight *f)
{
  bool whole = !streams(&f->reply) && f->break_after < 0;
  char id[40];
  struct MHD_Response *r =
      MHD_create_response_from_callback(whole ? f->reply.body.n : MHD_SIZE_UNKNOWN, 65536, read_piece, f, flight_free);
  if (!r) {
    flight_free(f);
    return MHD_NO;
  }
  snprintf(id, sizeof id, "sim-%zu", f->reply.body.n);
  MHD_add_response_header(r, "Content-Type",
                          f->reply.sse     ? "text/event-stream; charset=utf-8"
                          : f->reply.lines ? "application/x-ndjson"
                          : f->reply.bytes ? "application/octet-stream"
                                           : "application/json");
  MHD_add_response_header(r, "x-request-id", id);
  if (f->reply.sse) MHD_add_response_header(r, "Cache-Control", "no-cache");
  if (f->gzip) MHD_add_response_header(r, "Content-Encoding", "gzip");
  if (f->reply.status == 429) MHD_add_response_header(r, "retry-after", "1");
  enum MHD_Result result = MHD_queue_response(c, f->reply.status, r);
  MHD_destroy_response(r);
  return result;
}

/* A JSON body has no events: it breaks in its middle. */
static void break_body(struct flight *f)
{
  if (streams(&f->reply) || f->break_after < 0 || f->reply.body.n < 2) return;
  f->reply.ends = malloc(sizeof *f->reply.ends);
  if (!f->reply.ends) return;
  f->reply.ends[0] = f->reply.body.n / 2;
  f->reply.n_events = f->reply.cap_events = 1;
  f->break_after = 1;
}

/* ---- routes ----------------------------------------------------------------------------------------------------- */

static bool ends_with(struct str s, struct str tail)
{
  return s.n >= tail.n && str_eq(str_cut(s, s.n - tail.n, s.n), tail);
}

/* The name in .../deployments/NAME/..., or nothing. */
static struct str deployment_of(struct str path)
{
  const struct str mark = STR("/deployments/");
  size_t at = str_find(path, mark);
  if (at == (size_t)-1) return (struct str){"", 0};
  struct str rest = str_cut(path, at + mark.n, path.n);
  const char *slash = memchr(rest.p, '/', rest.n);
  return slash ? str_cut(rest, 0, (size_t)(slash - rest.p)) : rest;
}

static void answer_completion(struct str path, struct str body, enum dialect dialect, struct flight *f)
{
  struct vdt_arena *arena = vdt_arena_new((size_t)256 << 20);
  struct script s;
  struct buf verdict = {0};
  struct vdt_error err = {0};
  int rc = arena ? script_read(arena, body, deployment_of(path), dialect, &s, &err) : VDT_ENOMEM;
  if (rc) {
    reply_error(&f->reply, (unsigned)vdt_http_status(rc), "invalid_request", err.text);
  } else {
    if (dialect == DIALECT_GOOGLE) s.stream = str_find(path, STR(":streamGenerateContent")) != (size_t)-1;
    if (!s.n_steps && judge_is_asked(&s) && judge_say(&s, arena, &verdict))
      s.steps[s.n_steps++] = (struct step){DO_SAY, buf_str(&verdict), 0};
    reply_make(&s, &f->reply);
    f->reply.body.failed |= verdict.failed;
    f->slow_ms = s.slow_ms;
    f->break_after = s.break_after;
    f->cut = s.cut;
    f->cut_seed = s.cut_seed;
    f->gzip = s.gzip && !f->reply.body.failed && compress_reply(&f->reply);
    break_body(f);
  }
  buf_finish(&verdict);
  vdt_arena_free(arena);
}

/* By the end of the path; of two that fit the first. */
static bool dialect_of(struct str path, enum dialect *out)
{
  static const struct {
    struct str end;
    enum dialect dialect;
  } ends[] = {{STR("/chat/completions"), DIALECT_CHAT},  {STR("/completions"), DIALECT_COMPLETIONS},
              {STR("/responses"), DIALECT_RESPONSES},    {STR("/v1/messages"), DIALECT_ANTHROPIC},
              {STR("/api/chat"), DIALECT_OLLAMA_CHAT},   {STR("/api/generate"), DIALECT_OLLAMA_GENERATE},
              {STR(":generateContent"), DIALECT_GOOGLE}, {STR(":streamGenerateContent"), DIALECT_GOOGLE}};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    *out = ends[i].dialect;
    if (ends_with(path, ends[i].end)) return true;
  }
  return false;
}

static void answer(struct str method, struct str path, struct exchange *x, struct flight *f)
{
  struct str body = buf_str(&x->body);
  bool get = str_eq(method, STR("GET"));
  enum dialect dialect;
  f->break_after = -1;
  if (x->too_big) reply_error(&f->reply, 413, "too_large", "The body is too large for the simulated model.");
  else if (get && ends_with(path, STR("/models"))) reply_models(&f->reply);
  else if (get && str_eq(path, STR("/healthz"))) reply_models(&f->reply);
  else if (get && ends_with(path, STR("/content"))) reply_content(&f->reply);
  else if (!str_eq(method, STR("POST")))
    reply_error(&f->reply, get ? 404 : 405, "not_found", "The simulated model has no such resource.");
  else if (dialect_of(path, &dialect)) answer_completion(path, body, dialect, f);
  else if (ends_with(path, STR("/files"))) reply_file(body.n, &f->reply);
  else if (ends_with(path, STR("/embeddings"))) reply_embeddings(body, &f->reply);
  else if (ends_with(path, STR("/contentsafety/text:shieldPrompt"))) judge_shield(body, &f->reply);
  else
    reply_error(&f->reply, 404, "not_found", "The simulated model speaks chat completions, completions, embeddings and models.");
}

/* What was inspected is what was sent: tests compare this with what they know of the gateway. Headers are not written. */
static void echo_request(struct sim *sim, struct str path, struct str body)
{
  struct buf line = {0};
  if (sim->echo_fd < 0) return;
  BUF_LIT(&line, "{\"path\": ");
  json_quote(&line, path);
  BUF_LIT(&line, ", \"body\": ");
  json_quote(&line, body);
  BUF_LIT(&line, "}\n");
  pthread_mutex_lock(&sim->echo);
  for (size_t at = 0; at < line.n && !line.failed;) {
    ssize_t n = write(sim->echo_fd, line.p + at, line.n - at);
    if (n <= 0) break;
    at += (size_t)n;
  }
  pthread_mutex_unlock(&sim->echo);
  buf_finish(&line);
}

/* ---- sessions --------------------------------------------------------------------------------------------------- */

/* A WebSocket session: a thread of its own, which the daemon knows nothing of. */
struct session {
  struct sim *sim;
  struct realtime_start start;
  struct MHD_UpgradeResponseHandle *handle;
  MHD_socket fd;
  struct session *next;
};

static void echo_event(void *ctx, struct str path, struct str body)
{
  echo_request(ctx, path, body);
}

static void *serve_session(void *data)
{
  struct session *s = data;
  struct sim *sim = s->sim;
  realtime_serve(s->fd, &s->start);
  pthread_mutex_lock(&sim->lock);
  struct session **at = &sim->sessions;
  while (*at != s) at = &(*at)->next;
  *at = s->next;
  MHD_upgrade_action(s->handle, MHD_UPGRADE_ACTION_CLOSE);
  pthread_cond_signal(&sim->left);
  pthread_mutex_unlock(&sim->lock);
  free(s);
  return NULL;
}

static void begin_session(void *cls, struct MHD_Connection *c, void *state, const char *extra, size_t n, MHD_socket fd,
                          struct MHD_UpgradeResponseHandle *handle)
{
  struct session *s = cls;
  struct sim *sim = s->sim;
  pthread_attr_t attr;
  pthread_t thread;
  (void)c, (void)state, (void)extra, (void)n; /* a client sends nothing before the answer is there */
  s->handle = handle;
  s->fd = fd;
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  pthread_mutex_lock(&sim->lock);
  s->next = sim->sessions;
  sim->sessions = s;
  pthread_mutex_unlock(&sim->lock);
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  if (pthread_create(&thread, &attr, serve_session, s)) serve_session(s);
  pthread_attr_destroy(&attr);
}

/* Sessions end when their sockets do. */
static void end_sessions(struct sim *sim)
{
  pthread_mutex_lock(&sim->lock);
  for (struct session *s = sim->sessions; s; s = s->next) shutdown(s->fd, SHUT_RDWR);
  while (sim->sessions) pthread_cond_wait(&sim->left, &sim->lock);
  pthread_mutex_unlock(&sim->lock);
}

static const char *header(struct MHD_Connection *c, const char *name)
{
  return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static const char *model_of(struct MHD_Connection *c)
{
  const char *model = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "model");
  if (!model) model = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "deployment");
  return model ? model : "simulated";
}

static enum MHD_Result upgrade(struct sim *sim, struct MHD_Connection *c)
{
  const char *key = header(c, "Sec-WebSocket-Key"), *beta = header(c, "OpenAI-Beta");
  struct session *s = calloc(1, sizeof *s);
  struct MHD_Response *r = s ? MHD_create_response_for_upgrade(begin_session, s) : NULL;
  char accept[29];
  if (!r) {
    free(s);
    return MHD_NO;
  }
  *s = (struct session){.sim = sim, .start = {.echo = echo_event, .ctx = sim}};
  snprintf(s->start.model, sizeof s->start.model, "%s", model_of(c));
  s->start.preview = beta && strstr(beta, "realtime=v1");
  realtime_accept(str_of(key), accept);
  MHD_add_response_header(r, "Upgrade", "websocket");
  MHD_add_response_header(r, "Sec-WebSocket-Accept", accept);
  if (header(c, "Sec-WebSocket-Protocol")) MHD_add_response_header(r, "Sec-WebSocket-Protocol", "realtime");
  enum MHD_Result result = MHD_queue_response(c, MHD_HTTP_SWITCHING_PROTOCOLS, r);
  MHD_destroy_response(r);
  return result;
}

static bool is_session(struct MHD_Connection *c, const char *url)
{
  const char *to = header(c, "Upgrade");
  return to && header(c, "Sec-WebSocket-Key") && str_ieq(str_of(to), STR("websocket")) &&
         ends_with(str_of(url), STR("/realtime"));
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                              const char *data, size_t *n, void **state)
{
  (void)version;
  struct exchange *x = *state;
  if (!x) {
    *state = calloc(1, sizeof *x);
    return *state ? MHD_YES : MHD_NO;
  }
  if (*n) {
    if (x->body.n + *n > MAX_BODY) x->too_big = true;
    else buf_put(&x->body, (struct str){data, *n});
    *n = 0;
    return MHD_YES;
  }
  if (is_session(c, url)) return upgrade(cls, c);
  struct flight *f = calloc(1, sizeof *f);
  if (!f) return MHD_NO;
  echo_request(cls, str_of(url), buf_str(&x->body));
  answer(str_of(method), str_of(url), x, f);
  if (!f->reply.body.failed) return send_flight(c, f);
  flight_free(f);
  return MHD_NO;
}

static void completed(void *cls, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
  (void)cls, (void)c, (void)why;
  struct exchange *x = *state;
  if (!x) return;
  buf_finish(&x->body);
  free(x);
  *state = NULL;
}

/* ---- listening -------------------------------------------------------------------------------------------------- */

static int listen_unix(struct sim *sim, struct str path, struct vdt_error *err)
{
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  if (path.n == 0 || path.n >= sizeof a.sun_path)
    return error_set(err, VDT_EINVAL, "a socket's path has 1 to %zu bytes", sizeof a.sun_path - 1);
  memcpy(a.sun_path, path.p, path.n);
  memcpy(sim->socket_path, a.sun_path, sizeof sim->socket_path);
  unlink(a.sun_path);
  sim->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (sim->fd < 0 || bind(sim->fd, (struct sockaddr *)&a, sizeof a) || listen(sim->fd, 512))
    return error_at(err, VDT_EIO, sim->socket_path, 0, "%s", strerror(errno));
  struct stat made;
  if (lstat(sim->socket_path, &made) == 0) sim->socket_file = made.st_ino;
  snprintf(sim->address, sizeof sim->address, "unix:%.*s", (int)path.n, path.p);
  return VDT_OK;
}

static int listen_tcp(struct sim *sim, struct str text, struct vdt_error *err)
{
  struct sockaddr_in a = {.sin_family = AF_INET};
  socklen_t n = sizeof a;
  const char *colon = memrchr(text.p, ':', text.n);
  char host[16] = {0};
  uint64_t port;
  size_t host_n = colon ? (size_t)(colon - text.p) : 0;
  if (!colon || host_n >= sizeof host || !str_u64(str_cut(text, host_n + 1, text.n), &port) || port > 65535)
    return error_set(err, VDT_EINVAL, "expected IPV4:PORT or unix:PATH to listen on");
  memcpy(host, text.p, host_n);
  a.sin_port = htons((uint16_t)port);
  if (inet_pton(AF_INET, host, &a.sin_addr) != 1) return error_set(err, VDT_EINVAL, "expected an IPv4 address to listen on");
  sim->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (sim->fd >= 0) setsockopt(sim->fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  if (sim->fd < 0 || bind(sim->fd, (struct sockaddr *)&a, sizeof a) || listen(sim->fd, 512) ||
      getsockname(sim->fd, (struct sockaddr *)&a, &n))
    return error_set(err, VDT_EIO, "cannot listen on %.40s: %s", text.p, strerror(errno));
  snprintf(sim->address, sizeof sim->address, "%s:%u", host, ntohs(a.sin_port));
  return VDT_OK;
}

static int start(struct sim *sim, const struct sim_options *o, struct vdt_error *err)
{
  struct str listen = str_of(o->listen);
  bool is_unix = str_starts(listen, STR("unix:"));
  int rc = is_unix ? listen_unix(sim, str_cut(listen, 5, listen.n), err) : listen_tcp(sim, listen, err);
  if (rc) return rc;
  if (o->echo_requests) {
    sim->echo_fd = open(o->echo_requests, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (sim->echo_fd < 0) return error_at(err, VDT_EIO, o->echo_requests, 0, "%s", strerror(errno));
  }
  sim->daemon =
      MHD_start_daemon(MHD_ALLOW_UPGRADE | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0,
                       NULL, NULL, handle, sim, MHD_OPTION_LISTEN_SOCKET, sim->fd, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
                       MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                       (unsigned)IDLE_SECONDS, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK, MHD_OPTION_END);
  if (!sim->daemon) return error_set(err, VDT_EIO, "the HTTP server did not start");
  sim->fd = -1; /* the daemon's now */
  return VDT_OK;
}

int sim_start(const struct sim_options *options, struct sim **out, struct vdt_error *err)
{
  struct sim *sim = calloc(1, sizeof *sim);
  if (!sim) return error_set(err, VDT_ENOMEM, "out of memory");
  sim->fd = sim->echo_fd = -1;
  pthread_mutex_init(&sim->echo, NULL);
  pthread_mutex_init(&sim->lock, NULL);
  pthread_cond_init(&sim->left, NULL);
  int rc = start(sim, options, err);
  if (rc) sim_stop(sim);
  else *out = sim;
  return rc;
}

const char *sim_address(const struct sim *sim)
{
  return sim->address;
}

void sim_stop(struct sim *sim)
{
  if (!sim) return;
  end_sessions(sim);
  if (sim->daemon) MHD_stop_daemon(sim->daemon);
  if (sim->fd >= 0) close(sim->fd);
  if (sim->echo_fd >= 0) close(sim->echo_fd);
  struct stat now;
  if (sim->socket_path[0] && lstat(sim->socket_path, &now) == 0 && now.st_ino == sim->socket_file) unlink(sim->socket_path);
  pthread_mutex_destroy(&sim->echo);
  pthread_mutex_destroy(&sim->lock);
  pthread_cond_destroy(&sim->left);
  free(sim);
}
