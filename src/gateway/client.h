/*
 * Who is behind a request, as far as its head says it: the address behind trusted proxies, and the headers that the configuration names
 * (client_context). Pure.
 *
 * X-Forwarded-For is believed from right to left, as long as the one who wrote it is a trusted proxy; the first address that is none is the
 * client's. What stands to the left of it anybody can have written.
 */
#ifndef GATEWAY_CLIENT_H
#define GATEWAY_CLIENT_H
#include "engine/config.h"

/* connection: the address that the connection comes from, or "unix:" for a Unix socket, which counts as a trusted proxy when there are any. The
 * result lies in one of the two texts. */
struct str client_address(const struct config_context *context, struct str connection, struct str forwarded_for);
#endif
