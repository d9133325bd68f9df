/* Signing in at the portal: a token or a one-time link is changed for a session. Only for api/. */
#ifndef API_SIGNIN_H
#define API_SIGNIN_H
#include "api/api.h"

/* What the body of a sign-in shows, {"token"} or {"once"}; for one that has no Authorization. An answer with a status of 400 or more: it has said what is wrong. */
enum auth_answer signin_check_body(struct api *api, struct api_request *r, struct auth_grant *out, struct api_response *response);
/* Begins a session of r->grant, ends the one that the browser has, and answers with it. how: for the audit log. api: as that grant sees it. */
void signin_open(struct api *api, const struct api_request *r, struct str how, struct api_response *response);
#endif
