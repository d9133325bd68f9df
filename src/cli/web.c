/* The client, on libcurl. */
#include "cli/web.h"
#include "base/error.h"
#include <curl/curl.h>
#include <stdlib.h>

struct web {
  CURL *curl;
  const struct web_target *target;
  char said[CURL_ERROR_SIZE];
};

struct web *web_new(const struct web_target *target)
{
  struct web *w = calloc(1, sizeof *w);
  if (w && (w->curl = curl_easy_init())) {
    w->target = target;
    return w;
  }
  free(w);
  return NULL;
}

void web_free(struct web *w)
{
  if (!w) return;
  curl_easy_cleanup(w->curl);
  free(w);
}

static size_t take_body(char *p, size_t size, size_t n, void *to)
{
  struct buf *b = to;
  if (b->n + size * n > WEB_BODY_MAX) return 0;
  buf_put(b, (struct str){p, size * n});
  return b->failed ? 0 : size * n;
}

/* The answer's last head counts: an interim one (100 Continue) comes before it. */
static size_t take_head(char *p, size_t size, size_t n, void *to)
{
  struct buf *b = to;
  if (str_starts((struct str){p, size * n}, STR("HTTP/"))) buf_reset(b);
  return take_body(p, size, n, to);
}

static void set_target(struct web *w)
{
  const struct web_target *t = w->target;
  if (t->socket) curl_easy_setopt(w->curl, CURLOPT_UNIX_SOCKET_PATH, t->socket);
  if (t->trust) curl_easy_setopt(w->curl, CURLOPT_CAINFO, t->trust);
  if (t->pinned) curl_easy_setopt(w->curl, CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(w->curl, CURLOPT_TIMEOUT, (long)(t->seconds ? t->seconds : 60));
  curl_easy_setopt(w->curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(w->curl, CURLOPT_PROXY, ""); /* what is tried is this address, not one that the environment names */
  curl_easy_setopt(w->curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(w->curl, CURLOPT_ERRORBUFFER, w->said);
}

static void set_exchange(struct web *w, const char *method, struct str body, struct curl_slist *headers,
                         struct web_answer *answer)
{
  curl_easy_setopt(w->curl, CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt(w->curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(w->curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(w->curl, CURLOPT_WRITEDATA, &answer->body);
  curl_easy_setopt(w->curl, CURLOPT_HEADERFUNCTION, take_head);
  curl_easy_setopt(w->curl, CURLOPT_HEADERDATA, &answer->head);
  if (!body.n) return;
  curl_easy_setopt(w->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
  curl_easy_setopt(w->curl, CURLOPT_POSTFIELDS, body.p);
}

static bool add_header(struct curl_slist **list, const char *header)
{
  struct curl_slist *longer = curl_slist_append(*list, header);
  if (longer) *list = longer;
  return longer != NULL;
}

static int perform(struct web *w, const char *url, struct web_answer *answer, struct vdt_error *err)
{
  long status = 0;
  curl_easy_setopt(w->curl, CURLOPT_URL, url);
  CURLcode rc = curl_easy_perform(w->curl);
  if (rc == CURLE_OK) curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &status);
  answer->status = (unsigned)status;
  return rc == CURLE_OK ? VDT_OK
                        : error_set(err, VDT_EIO, "%s: %s", w->target->socket ? w->target->socket : w->target->url,
                                    w->said[0] ? w->said : curl_easy_strerror(rc));
}

int web_call(struct web *w, const char *method, const char *path, const char *const *headers, struct str body,
             struct web_answer *answer, struct vdt_error *err)
{
  struct curl_slist *list = NULL;
  struct buf url = {0};
  bool ok = !body.n || (add_header(&list, "Content-Type: application/json") && add_header(&list, "Expect:"));
  for (; ok && *headers; headers++) ok = add_header(&list, *headers);
  buf_reset(&answer->head);
  buf_reset(&answer->body);
  buf_put(&url, str_of(w->target->url));
  buf_put(&url, str_of(path));
  buf_byte(&url, 0);
  w->said[0] = 0;
  curl_easy_reset(w->curl); /* keeps the connection */
  set_target(w);
  set_exchange(w, method, body, list, answer);
  int rc = ok && !url.failed ? perform(w, url.p, answer, err) : error_set(err, VDT_ENOMEM, "out of memory");
  curl_slist_free_all(list);
  buf_finish(&url);
  return rc;
}

struct str web_header(const struct web_answer *answer, const char *name)
{
  struct str head = buf_str(&answer->head), wanted = str_of(name);
  for (size_t at = 0; at < head.n;) {
    const char *lf = memchr(head.p + at, '\n', head.n - at);
    size_t end = lf ? (size_t)(lf - head.p) : head.n;
    struct str line = str_cut(head, at, end);
    at = end + 1;
    if (line.n <= wanted.n || line.p[wanted.n] != ':' || !str_ieq(str_cut(line, 0, wanted.n), wanted)) continue;
    size_t from = wanted.n + 1, to = line.n;
    while (from < to && line.p[from] == ' ') from++;
    while (to > from && (line.p[to - 1] == '\r' || line.p[to - 1] == ' ')) to--;
    return str_cut(line, from, to);
  }
  return (struct str){0};
}

void web_answer_finish(struct web_answer *answer)
{
  buf_finish(&answer->head);
  buf_finish(&answer->body);
}
