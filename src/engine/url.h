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
/* Where a URL leads, without its path: "https://HOST", "http://HOST:PORT", "unix:PATH", "simulated". Cut at n - 1 bytes. */
enum { URL_ORIGIN = 320 };
void url_origin(const struct config_url *url, char *out, size_t n);
#endif
