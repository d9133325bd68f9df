/*
 * What a browser may be made to do by a page of somebody else's is refused here: a name that leads to us but is not ours (DNS rebinding), and requests
 * that carry the cookie although another page sends them (CSRF). What carries a token in Authorization no page can be made to send.
 */
#ifndef API_GUARD_H
#define API_GUARD_H
#include "api/api.h"

#define GUARD_CSRF_HEADER "x-vedette-csrf"

/* The Host is one of ours: an address, localhost, or a name that the configuration gives. */
bool guard_host_ok(const struct api *api, struct str host);
/* Nothing says that another origin sends it; strict: and something says that ours does. */
bool guard_origin_ok(const struct api_request *r, bool strict);
/* What the cookie of sessions says; empty when there is none, or more than one. */
struct str guard_cookie(const struct api_request *r);
/* The answer's Set-Cookie: the session's, or with an empty value and 0 seconds its end. */
void guard_set_cookie(const struct api_request *r, struct str value, uint64_t seconds, struct api_response *response);
/* The same for the cookie of a sign-in under way (code_flow.h), which stands beside the session's. */
struct str guard_signin_cookie(const struct api_request *r);
void guard_set_signin_cookie(const struct api_request *r, struct str value, uint64_t seconds, struct api_response *response);
/* The request may be made with the cookie: from our own page, and what changes something with the session's CSRF text. */
bool guard_session_ok(const struct api *api, const struct api_request *r, struct api_response *response);
#endif
