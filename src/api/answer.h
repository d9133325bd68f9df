/* What the handlers share: finding an alert, reading a body, links, errors. Only for api/. */
#ifndef API_ANSWER_H
#define API_ANSWER_H
#include "api/api.h"
#include "base/json.h"

#define API_JSON "application/json; charset=utf-8"
enum { API_PAGE = 100 };

/* 404 with `code` for ENOTFOUND, else 503. */
void api_store_failed(struct api_response *response, int rc, const char *code);
/* The alert that the path names: in that location, subscription and group. ENOTFOUND, or what the store says. */
int api_find_alert(struct api *api, const struct api_request *r, struct store **store, struct alert *a);
/* The path names this location, or none. */
bool api_in_location(const struct store *s, const struct api_request *r);
/* The entry in the audit log alone, for who opens it himself. */
int api_note_reading(struct api *api, const struct api_request *r, const struct alert *list, size_t n);
/* Before alerts are answered to who may read their evidence: the audit log gets an entry of it being read, unless none has any, and what is sealed is
 * opened (api/unseal.h). An error: do not answer them. That a key is missing is none: the alerts say so. */
int api_read_evidence(struct api *api, const struct api_request *r, struct alert *list, size_t n);
/* Parses the body into an object, in the arena; an empty body is an empty object. false: it has answered 400. */
bool api_body(struct api *api, const struct api_request *r, struct api_response *response, struct json_doc *doc);
/* A member of the object `of` that is a string; *out is empty when it is absent or null. false: it has answered 400. max: most bytes. */
bool api_text(struct api *api, struct api_response *response, const struct json_doc *doc, uint32_t of, const char *key,
              size_t max, struct str *out);
/* The query parameter of that name, in any case; of several the first. Empty when there is none. */
struct str api_argument(const struct api_request *r, const char *name);
/* The stores that the request is about: all that the token reaches, or the one that the parameter workspace names. false: it has answered. */
bool api_stores_of(struct api *api, const struct api_request *r, struct api_response *response, struct store ***stores,
                   size_t *n);
/* The comment and the classification of a body that changes alerts to c->status. false: it has answered 400. */
bool api_read_change(struct api *api, const struct json_doc *doc, struct api_response *response, struct store_change *c);
/* A suppression rule of ARM as `properties` of the body, compiled. false: it has answered 400. */
bool api_read_rule(struct api *api, struct api_response *response, const struct json_doc *doc, struct suppress_rule *rule);
/* Scheme, host and path of the request, percent-encoded. */
void api_put_url(struct buf *b, const struct api_request *r, struct str path);
/* ,"nextLink":"...": the same request with a $skipToken, whose text needs no encoding. */
void api_put_next_link(struct buf *b, const struct api_request *r, struct str token);
/* ,"name":"value" */
void api_put_member(struct buf *b, const char *name, struct str value);
#endif
