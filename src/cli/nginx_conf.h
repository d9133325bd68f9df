/*
 * The nginx.conf that `vedette run` starts nginx with: text from a checked configuration, no files, no processes.
 *
 * Names, addresses and URLs come from engine/config.h, which lets nothing through that means something to nginx; paths from the command
 * line are quoted, and refused where quoting cannot hold them.
 */
#ifndef CLI_NGINX_CONF_H
#define CLI_NGINX_CONF_H
#include "engine/config.h"

struct nginx_conf {
  const struct config *config;
  const char *state;       /* absolute */
  const char *config_file; /* absolute: what the module reads */
  const char *module;      /* absolute: ngx_http_vedette_module.so */
  const char *user;        /* for workers, or NULL: that of the caller */
  const char *portal;      /* absolute: the folder of the portal's files, or NULL: there are none */
  const char *trusted;     /* PEM file of the authorities that upstreams are checked against */
  unsigned workers, files; /* worker processes; descriptors that each may have open */
};

/* EINVAL when a path cannot be written into a configuration. */
int nginx_conf_write(const struct nginx_conf *in, struct buf *out, struct vdt_error *err);
#endif
