/* Writes the nginx.conf of `vedette run`. */
#include "cli/nginx_conf.h"
#include "base/error.h"

/* What an upstream's header that wears this name would make nginx do is not for upstreams to say. */
static const char ignored[] =
    "X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset Expires Cache-Control "
    "Set-Cookie Vary";

/* "PATH" in quotes; nginx would expand $, and a quote or a backslash would end or change it. */
static int check_path(const char *path, struct vdt_error *err)
{
  for (const char *p = path; *p; p++)
    if (*p == '"' || *p == '\\' || *p == '$' || (unsigned char)*p < ' ')
      return error_set(err, VDT_EINVAL,
                       "the path %s holds a character that nginx.conf cannot: quote, backslash, dollar or control", path);
  return VDT_OK;
}

static int check_paths(const struct nginx_conf *in, struct vdt_error *err)
{
  const char *paths[] = {in->state, in->config_file, in->module, in->trusted, in->portal ? in->portal : ""};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    int rc = check_path(paths[i], err);
    if (rc) return rc;
  }
  return VDT_OK;
}

static void put_process(const struct nginx_conf *in, struct buf *b)
{
  BUF_LIT(b, "# Written by vedette run; changes are lost.\n");
  buf_printf(b, "load_module \"%s\";\n", in->module);
  BUF_LIT(b, "daemon off;\nmaster_process on;\n");
  if (in->user) buf_printf(b, "user %s %s;\n", in->user, in->user);
  buf_printf(b, "worker_processes %u;\nworker_rlimit_nofile %u;\nworker_rlimit_core 0;\n", in->workers, in->files);
  buf_printf(b, "pid \"%s/run/nginx.pid\";\nerror_log \"%s/logs/nginx.log\" warn;\n", in->state, in->state);
  buf_printf(b, "events {\n  worker_connections %u;\n}\n", in->files > 256 ? in->files - 64 : in->files);
}

/* Bodies stay in memory, so that no prompt is ever on the disk; what a body without a length has beyond the limit lies in a file until it is refused. nginx's own limit on bodies is
 * wider than ours, which answers with an error that clients of models read. */
static void put_limits(const struct nginx_conf *in, struct buf *b)
{
  static const char *const folders[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
    buf_printf(b, "  %s_temp_path \"%s/nginx/%s\";\n", folders[i], in->state, folders[i]);
  buf_printf(b, "  client_body_buffer_size %llu;\n  client_max_body_size %llu;\n",
             (unsigned long long)in->config->limits.max_request_body,
             (unsigned long long)in->config->limits.max_request_body * 8);
  BUF_LIT(b,
          "  client_header_timeout 30s;\n  client_body_timeout 60s;\n  send_timeout 60s;\n  large_client_header_buffers 4 16k;\n"
          "  keepalive_timeout 75s;\n  keepalive_requests 100000;\n  reset_timedout_connection on;\n"
          "  access_log off;\n  server_tokens off;\n  default_type application/octet-stream;\n  tcp_nodelay on;\n"
          "  ssl_protocols TLSv1.2 TLSv1.3;\n  ssl_session_cache shared:vedette:1m;\n");
}

static void put_upstream_defaults(const struct nginx_conf *in, struct buf *b)
{
  BUF_LIT(b, "  proxy_http_version 1.1;\n  proxy_buffering off;\n  proxy_buffer_size 8k;\n  proxy_connect_timeout 10s;\n"
             "  proxy_redirect off;\n  proxy_ssl_server_name on;\n  proxy_ssl_verify on;\n  proxy_ssl_verify_depth 5;\n"
             "  proxy_ssl_protocols TLSv1.2 TLSv1.3;\n  proxy_hide_header x-vedette-interaction;\n  proxy_hide_header "
             "x-vedette-verdict;\n");
  buf_printf(b, "  proxy_ignore_headers %s;\n  proxy_ssl_trusted_certificate \"%s\";\n", ignored, in->trusted);
}

static void put_url_host(const struct config_url *u, bool with_port, struct buf *b)
{
  bool v6 = strchr(u->host, ':') != NULL;
  buf_printf(b, v6 ? "[%s]" : "%s", u->host);
  if (with_port) buf_printf(b, ":%u", u->port);
}

/* kind: "" for a deployment, "shield_" for a shield. */
static void put_upstream(const struct nginx_conf *in, const char *kind, size_t i, const struct config_url *u, struct buf *b)
{
  buf_printf(b, "  upstream vedette_%s%zu {\n    server ", kind, i);
  switch (u->scheme) {
  case CONFIG_SIMULATED: buf_printf(b, "\"unix:%s/run/model-sim.sock\"", in->state); break;
  case CONFIG_UNIX: buf_printf(b, "\"unix:%s\"", u->host); break;
  case CONFIG_HTTP:
  case CONFIG_HTTPS: put_url_host(u, true, b); break;
  }
  BUF_LIT(b, " max_fails=0;\n    keepalive 64;\n    keepalive_timeout 30s;\n    keepalive_requests 100000;\n  }\n");
}

/* ---- the deployment's own location ------------------------------------------------------------------------------ */

static bool ends_with(const char *host, struct str end)
{
  struct str h = str_of(host);
  return h.n >= end.n && str_ieq(str_cut(h, h.n - end.n, h.n), end);
}

/* The configured key in the header that this provider reads; the client's own credentials stay here. */
static void put_credentials(const struct config_deployment *d, struct buf *b)
{
  const char *host = d->upstream.scheme == CONFIG_HTTP || d->upstream.scheme == CONFIG_HTTPS ? d->upstream.host : "";
  bool azure = ends_with(host, STR(".azure.com")) || ends_with(host, STR(".azure-api.net")) || ends_with(host, STR(".azure.us"));
  bool anthropic = ends_with(host, STR("anthropic.com"));
  if (!d->api_key_env) return;
  buf_printf(b, "      proxy_set_header Authorization \"%s\";\n", azure || anthropic ? "" : "Bearer $vedette_api_key");
  buf_printf(b, "      proxy_set_header api-key \"%s\";\n", azure ? "$vedette_api_key" : "");
  buf_printf(b, "      proxy_set_header x-api-key \"%s\";\n", anthropic ? "$vedette_api_key" : "");
}

static void put_host(const struct config_url *u, struct buf *b)
{
  bool tls = u->scheme == CONFIG_HTTPS;
  BUF_LIT(b, "      proxy_set_header Host \"");
  if (u->scheme == CONFIG_SIMULATED || u->scheme == CONFIG_UNIX) BUF_LIT(b, "localhost");
  else put_url_host(u, u->port != (tls ? 443u : 80u), b);
  BUF_LIT(b, "\";\n");
  if (tls) buf_printf(b, "      proxy_ssl_name \"%s\";\n", u->host);
}

static void put_deployment(const struct nginx_conf *in, size_t i, struct buf *b)
{
  const struct config_deployment *d = &in->config->deployments[i];
  const struct config_url *u = &d->upstream;
  bool prefix = u->path && u->path[0];
  buf_printf(b, "    location @vedette_%s {\n", d->name);
  buf_printf(b, "      proxy_pass %s://vedette_%zu%s%s;\n", u->scheme == CONFIG_HTTPS ? "https" : "http", i,
             prefix ? u->path : "", prefix ? "$request_uri" : "");
  put_host(u, b);
  /* Ranges of an answer cannot be inspected, codings need not be undone when they are not asked for. Only a session that we read may take
   * the connection over, and without extensions: a compressed message could not be read. */
  BUF_LIT(b, "      proxy_set_header Connection \"$vedette_connection\";\n      proxy_set_header Upgrade \"$vedette_upgrade\";\n"
             "      proxy_set_header Sec-WebSocket-Extensions \"\";\n"
             "      proxy_set_header Sec-WebSocket-Protocol \"$vedette_protocol\";\n"
             "      proxy_set_header Accept-Encoding identity;\n"
             "      proxy_set_header Range \"\";\n      proxy_set_header If-Range \"\";\n");
  put_credentials(d, b);
  buf_printf(b, "      proxy_read_timeout %llus;\n      proxy_send_timeout 60s;\n    }\n", (unsigned long long)d->read_timeout);
}

/* An outside shield. Headers, path and body come from the module; the deadline is the policy's, so nginx's own times are only a last
 * resort. */
static void put_shield(const struct nginx_conf *in, size_t i, struct buf *b)
{
  const struct config_shield *s = &in->config->shields[i];
  buf_printf(b, "    location @vedette_shield:%s {\n", s->name);
  buf_printf(b, "      proxy_pass %s://vedette_shield_%zu;\n", s->endpoint.scheme == CONFIG_HTTPS ? "https" : "http", i);
  put_host(&s->endpoint, b);
  BUF_LIT(b, "      proxy_set_header Connection \"\";\n      proxy_set_header Accept-Encoding identity;\n"
             "      proxy_connect_timeout 60s;\n      proxy_read_timeout 60s;\n      proxy_send_timeout 60s;\n    }\n");
}

/* ---- servers ---------------------------------------------------------------------------------------------------- */

static void put_listen(const char *address, const struct config_tls *tls, struct buf *b)
{
  buf_printf(b, "    listen %s%s;\n", address, tls->certificate ? " ssl http2" : "");
  if (tls->certificate)
    buf_printf(b, "    ssl_certificate \"%s\";\n    ssl_certificate_key \"%s\";\n", tls->certificate, tls->key);
}

static void put_gateway(const struct nginx_conf *in, struct buf *b)
{
  const struct config *c = in->config;
  for (size_t i = 0; i < c->n_deployments; i++) put_upstream(in, "", i, &c->deployments[i].upstream, b);
  for (size_t i = 0; i < c->n_shields; i++) put_upstream(in, "shield_", i, &c->shields[i].endpoint, b);
  BUF_LIT(b, "  server {\n    server_name _;\n");
  put_listen(in->config->listen.gateway, &in->config->listen.gateway_tls, b);
  buf_printf(b, "    vedette on;\n    root \"%s/nginx/none\";\n    location / {\n    }\n", in->state);
  for (size_t i = 0; i < c->n_deployments; i++) put_deployment(in, i, b);
  for (size_t i = 0; i < c->n_shields; i++) put_shield(in, i, b);
  BUF_LIT(b, "  }\n");
}

/* What a page of the portal may do: load what lies beside it and ask the API; nothing of another host, nothing inline, no frame around it, and no
 * text that becomes markup (trusted types). */
static const char page_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri "
    "'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/* Files are compressed when they are built (share/portal.sh). They are asked for again at each visit, so that an update is seen at once. */
static void put_portal(const struct nginx_conf *in, struct buf *b)
{
  BUF_LIT(b, "    absolute_redirect off;\n    location = / {\n      return 302 /portal/;\n    }\n"
             "    location = /portal {\n      return 302 /portal/;\n    }\n    location /portal/ {\n");
  if (in->portal) {
    buf_printf(b, "      alias \"%s/\";\n      index index.html;\n      gzip_static on;\n", in->portal);
    BUF_LIT(b, "      types {\n        text/html html;\n        text/javascript js;\n        text/css css;\n        "
               "image/svg+xml svg;\n      }\n");
    buf_printf(b, "      add_header Content-Security-Policy \"%s\" always;\n", page_policy);
  } else {
    BUF_LIT(
        b,
        "      default_type text/plain;\n      return 404 \"The portal is not built: run ./run where npm can fetch its packages. "
        "The API is here, see docs/api.md.\\n\";\n");
  }
  BUF_LIT(
      b, "      add_header X-Content-Type-Options nosniff always;\n      add_header X-Frame-Options DENY always;\n"
         "      add_header Referrer-Policy no-referrer always;\n      add_header Cross-Origin-Opener-Policy same-origin always;\n"
         "      add_header Cross-Origin-Resource-Policy same-origin always;\n      add_header Cache-Control no-cache always;\n   "
         " }\n");
}

/* The API says them of itself, on its socket: here nginx says them once, of its own errors too. */
static const struct {
  const char *name, *value;
} always[] = {
#define X(name, value) {name, value},
#include "api/headers.def"
#undef X
};

static void put_always(struct buf *b)
{
  for (size_t i = 0; i < sizeof always / sizeof *always; i++)
    buf_printf(b, "    add_header %s \"%s\" always;\n    proxy_hide_header %s;\n", always[i].name, always[i].value,
               always[i].name);
}

/* What nginx itself refuses, and what it says while the control process is away, is in the form of the API's errors. Not by named locations: there is
 * no way to them from a request without a path. */
static void put_errors(struct buf *b)
{
  static const struct {
    unsigned status;
    const char *more, *code, *message; /* more: nginx's own numbers that become this status */
  } errors[] = {
      {400, " 494 495 496 497", "BadRequest", "The request cannot be read; on this address HTTPS may be spoken."},
      {405, "", "MethodNotAllowed", "This method is not known here."},
      {413, "", "RequestEntityTooLarge", "The body is larger than 1 MiB."},
      {414, "", "BadRequest", "The address is too long."},
      {500, "", "InternalServerError", "The request could not be answered."},
      {502, "", "ServiceUnavailable", "The control process does not answer; it may be starting."},
      {503, "", "ServiceUnavailable", "The control process does not answer; it may be starting."},
      {504, "", "ServiceUnavailable", "The control process did not answer in time."},
  };
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
    buf_printf(b, "    error_page %u%s /.error/%u;\n", errors[i].status, errors[i].more, errors[i].status);
    buf_printf(b,
               "    location = /.error/%u {\n      internal;\n      default_type application/json;\n"
               "      return %u '{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}';\n    }\n",
               errors[i].status, errors[i].status, errors[i].code, errors[i].message);
  }
}

static void put_control(const struct nginx_conf *in, struct buf *b)
{
  buf_printf(b, "  upstream vedette_control {\n    server \"unix:%s/control.sock\" max_fails=0;\n    keepalive 8;\n  }\n",
             in->state);
  BUF_LIT(b, "  server {\n    server_name _;\n");
  put_listen(in->config->listen.control, &in->config->listen.control_tls, b);
  put_always(b);
  put_errors(b);
  put_portal(in, b);
  /* In memory, whatever the gateway's limit is: a body may be a text that is to be kept nowhere. */
  BUF_LIT(b, "    client_max_body_size 1m;\n    client_body_buffer_size 1m;\n    location / {\n      proxy_pass "
             "http://vedette_control;\n"
             "      proxy_set_header Host $http_host;\n      proxy_set_header X-Forwarded-Proto $scheme;\n"
             "      proxy_set_header X-Real-IP $remote_addr;\n"
             "      proxy_set_header Connection \"\";\n      proxy_read_timeout 60s;\n    }\n  }\n");
}

int nginx_conf_write(const struct nginx_conf *in, struct buf *out, struct vdt_error *err)
{
  int rc = check_paths(in, err);
  if (rc) return rc;
  put_process(in, out);
  BUF_LIT(out, "http {\n");
  put_limits(in, out);
  buf_printf(out, "  vedette_config \"%s\";\n  vedette_spool \"%s/spool\";\n", in->config_file, in->state);
  put_upstream_defaults(in, out);
  put_gateway(in, out);
  put_control(in, out);
  BUF_LIT(out, "}\n");
  return out->failed ? error_set(err, VDT_ENOMEM, "out of memory") : VDT_OK;
}
