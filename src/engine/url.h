/* Addresses and URLs of vedette.yaml: only what nginx and libcurl read in the same way, and no credentials inside. */
#ifndef ENGINE_URL_H
#define ENGINE_URL_H
#include "base/arena.h"
#include "engine/config.h"

/* "simulated", "http://HOST[:PORT][/PATH]", "https://...", "unix:PATH". All but out->text. Strings go to the arena; false when it is
 * no such URL, or out of memory. */
bool url_parse(struct vdt_arena *arena, struct str text, struct config_url *out);
/* "HOST:PORT", "[IPV6]:PORT" or "unix:PATH", as an address to listen on. */
bool url_parse_address(struct vdt_arena *arena, struct str text, struct config_url *out);
#endif
