/* Downloads of feeds and keys, and forms for identity providers, on libcurl. HTTPS only; nothing of a request is logged but the name of what it is for. */
#include "api/feeds.h"
#include "base/clock.h"
#include "base/error.h"
#include <curl/curl.h>

struct download {
  struct buf *body;
  char etag[256];
  size_t most;
  bool too_big;
};

static size_t take_body(char *p, size_t size, size_t n, void *to)
{
  struct download *d = to;
  d->too_big |= d->body->n + size * n > d->most;
  if (d->too_big) return 0;
  buf_put(d->body, (struct str){p, size * n});
  return d->body->failed ? 0 : size * n;
}

static size_t take_header(char *p, size_t size, size_t n, void *to)
{
  static const struct str name = {"etag:", 5};
  struct download *d = to;
  struct str line = {p, size * n};
  if (str_starts(line, STR("HTTP/"))) d->etag[0] = 0;
  if (line.n <= name.n || !str_ieq(str_cut(line, 0, name.n), name)) return line.n;
  struct str value = str_cut(line, name.n, line.n);
  while (value.n && (unsigned char)value.p[0] <= ' ') value = str_cut(value, 1, value.n);
  while (value.n && (unsigned char)value.p[value.n - 1] <= ' ') value.n--;
  if (value.n < sizeof d->etag) snprintf(d->etag, sizeof d->etag, "%.*s", (int)value.n, value.p);
  return line.n;
}

static bool add(struct curl_slist **list, const char *line)
{
  struct curl_slist *longer = curl_slist_append(*list, line);
  if (longer) *list = longer;
  return longer != NULL;
}

/* first: the server is the one that the configuration names. */
static bool add_headers(const struct feeds_source *s, const char *etag, bool first, struct curl_slist **list)
{
  char line[320];
  const char *secret = first && s->header_env ? getenv(s->header_env) : NULL;
  if (secret && *secret && !add(list, secret)) return false;
  snprintf(line, sizeof line, "If-None-Match: %s", etag);
  return !*etag || add(list, line);
}

static void set_options(CURL *c, const char *trust, unsigned seconds, struct download *d, char said[CURL_ERROR_SIZE])
{
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)seconds);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(c, CURLOPT_USERAGENT, "vedette/" VEDETTE_VERSION);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, d);
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, d);
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, said);
  if (trust) curl_easy_setopt(c, CURLOPT_CAINFO, trust);
}

static int outcome(CURL *c, CURLcode rc, const struct download *d, const char *said, struct vdt_error *err)
{
  long status = 0;
  if (d->too_big) return error_set(err, VDT_ETOOBIG, "larger than %zu KiB", d->most >> 10);
  if (rc != CURLE_OK) return error_set(err, VDT_EIO, "%s", *said ? said : curl_easy_strerror(rc));
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  if (status == 200 || status == 304) return VDT_OK;
  return error_set(err, VDT_EIO, "the server answers %ld", status);
}

/* "https://host:port" of what stands before the path. */
static void origin(const char *url, char *out, size_t n)
{
  const char *host = strncmp(url, "https://", 8) == 0 ? url + 8 : url;
  snprintf(out, n, "%.*s", (int)((size_t)(host - url) + strcspn(host, "/?#")), url);
}

/* A request that got as far as a connection. */
static void tell(CURL *c, const struct feeds_source *s, const char *url, bool redirected, bool posted,
                 void (*moved)(void *ctx, const struct feeds_transfer *t), void *ctx)
{
  struct feeds_transfer t = {.redirected = redirected, .posted = posted, .time_us = clock_unix_us()};
  long sent = 0, heads = 0;
  curl_off_t body = 0, form = 0;
  curl_easy_getinfo(c, CURLINFO_SIZE_UPLOAD_T, &form);
  curl_easy_getinfo(c, CURLINFO_REQUEST_SIZE, &sent);
  curl_easy_getinfo(c, CURLINFO_HEADER_SIZE, &heads);
  curl_easy_getinfo(c, CURLINFO_SIZE_DOWNLOAD_T, &body);
  if (sent <= 0) return;
  snprintf(t.name, sizeof t.name, "%s", s->name);
  origin(url, t.destination, sizeof t.destination);
  t.sent = (uint64_t)sent + (uint64_t)(form > 0 ? form : 0);
  t.received = (uint64_t)(heads > 0 ? heads : 0) + (uint64_t)(body > 0 ? body : 0);
  moved(ctx, &t);
}

/* Where the server leads on to; NULL: nowhere, or not to HTTPS, which the caller says as the status that it is. */
static const char *leads_to(CURL *c)
{
  const char *url = NULL;
  curl_easy_getinfo(c, CURLINFO_REDIRECT_URL, &url);
  return url && strncmp(url, "https://", 8) == 0 ? url : NULL;
}

/* One request after the other, so that each is known and none but the first has the secret. *at is where the last one went. */
static int follow(CURL *c, const struct feeds_source *s, unsigned redirects, const char *etag, struct download *d,
                  char said[CURL_ERROR_SIZE], char **at, void (*moved)(void *ctx, const struct feeds_transfer *t), void *ctx,
                  struct vdt_error *err)
{
  for (unsigned step = 0;; step++) {
    struct curl_slist *headers = NULL;
    const char *next = NULL;
    if (!add_headers(s, etag, step == 0, &headers))
      return curl_slist_free_all(headers), error_set(err, VDT_ENOMEM, "out of memory");
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c, CURLOPT_URL, *at);
    buf_reset(d->body);
    int rc = outcome(c, curl_easy_perform(c), d, said, err);
    tell(c, s, *at, step > 0, false, moved, ctx);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (!rc || step == redirects || !(next = leads_to(c))) return rc;
    char *copy = strdup(next);
    if (!copy) return error_set(err, VDT_ENOMEM, "out of memory");
    free(*at);
    *at = copy;
  }
}

int fetch(const struct feeds_source *s, const char *trust, const struct fetch_limits *limits, char etag[256], struct buf *body,
          bool *unchanged, void (*moved)(void *ctx, const struct feeds_transfer *t), void *ctx, struct vdt_error *err)
{
  char said[CURL_ERROR_SIZE] = "", *at = strdup(s->source);
  struct download d = {.body = body, .most = limits->bytes};
  long status = 0;
  CURL *c = curl_easy_init();
  int rc = c && at ? VDT_OK : error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc) {
    set_options(c, trust, limits->seconds, &d, said);
    rc = follow(c, s, limits->redirects, etag, &d, said, &at, moved, ctx, err);
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  }
  *unchanged = !rc && status == 304;
  if (!rc && !*unchanged) memcpy(etag, d.etag, sizeof d.etag);
  if (c) curl_easy_cleanup(c);
  free(at);
  return rc;
}

int fetch_form(const struct feeds_source *s, const char *trust, const struct fetch_limits *limits, struct str form,
               const struct fetch_user *user, struct buf *body, long *status,
               void (*moved)(void *ctx, const struct feeds_transfer *t), void *ctx, struct vdt_error *err)
{
  char said[CURL_ERROR_SIZE] = "";
  struct download d = {.body = body, .most = limits->bytes};
  CURL *c = curl_easy_init();
  *status = 0;
  if (!c) return error_set(err, VDT_ENOMEM, "out of memory");
  set_options(c, trust, limits->seconds, &d, said);
  curl_easy_setopt(c, CURLOPT_URL, s->source);
  curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)form.n);
  curl_easy_setopt(c, CURLOPT_POSTFIELDS, form.p);
  if (user) {
    curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_easy_setopt(c, CURLOPT_USERNAME, user->name);
    curl_easy_setopt(c, CURLOPT_PASSWORD, user->secret);
  }
  CURLcode rc = curl_easy_perform(c);
  tell(c, s, s->source, false, true, moved, ctx);
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, status);
  if (rc != CURLE_OK) *status = 0;
  curl_easy_cleanup(c);
  if (d.too_big) return error_set(err, VDT_ETOOBIG, "larger than %zu KiB", d.most >> 10);
  return rc == CURLE_OK ? VDT_OK : error_set(err, VDT_EIO, "%s", *said ? said : curl_easy_strerror(rc));
}
