/* Downloads feeds, on libcurl. HTTPS only, redirects too; nothing of a request is logged but the feed's name. */
#include "api/feeds.h"
#include "base/error.h"
#include <curl/curl.h>

enum { SECONDS = 60, REDIRECTS = 3 };

struct download {
  struct buf *body;
  char etag[256];
  bool too_big;
};

static size_t take_body(char *p, size_t size, size_t n, void *to)
{
  struct download *d = to;
  d->too_big |= d->body->n + size * n > FEED_BYTES_MAX;
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

static bool add_headers(const struct feeds_source *s, const char *etag, struct curl_slist **list)
{
  char line[320];
  const char *secret = s->header_env ? getenv(s->header_env) : NULL;
  if (secret && *secret && !add(list, secret)) return false;
  snprintf(line, sizeof line, "If-None-Match: %s", etag);
  return !*etag || add(list, line);
}

static void set_options(CURL *c, const struct feeds_source *s, const char *trust, struct curl_slist *headers, struct download *d,
                        char said[CURL_ERROR_SIZE])
{
  curl_easy_setopt(c, CURLOPT_URL, s->source);
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "https");
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS);
  curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)SECONDS);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(c, CURLOPT_USERAGENT, "vedette/" VEDETTE_VERSION);
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
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
  if (d->too_big) return error_set(err, VDT_ETOOBIG, "larger than %d MiB", FEED_BYTES_MAX >> 20);
  if (rc != CURLE_OK) return error_set(err, VDT_EIO, "%s", *said ? said : curl_easy_strerror(rc));
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  if (status == 200 || status == 304) return VDT_OK;
  return error_set(err, VDT_EIO, "the server answers %ld", status);
}

int fetch(const struct feeds_source *s, const char *trust, char etag[256], struct buf *body, bool *unchanged,
          struct vdt_error *err)
{
  char said[CURL_ERROR_SIZE] = "";
  struct download d = {.body = body};
  struct curl_slist *headers = NULL;
  long status = 0;
  CURL *c = curl_easy_init();
  int rc = c && add_headers(s, etag, &headers) ? VDT_OK : error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc) {
    set_options(c, s, trust, headers, &d, said);
    rc = outcome(c, curl_easy_perform(c), &d, said, err);
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  }
  *unchanged = !rc && status == 304;
  if (!rc && !*unchanged) memcpy(etag, d.etag, sizeof d.etag);
  curl_slist_free_all(headers);
  if (c) curl_easy_cleanup(c);
  return rc;
}
