/* What retention.c and purge.c share. Only for api/. */
#ifndef API_RETENTION_H
#define API_RETENTION_H
#include "api/api.h"

/* The store of the workspace that the path names; NULL after it has answered 404. */
struct store *retention_store(const struct api *api, const struct api_request *r, struct api_response *response);
/* "id":".../workspaces/NAME without the quote at the end. */
void retention_put_id(struct buf *b, const struct api_request *r, const struct store *s);
#endif
