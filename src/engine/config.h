/*
 * vedette.yaml, checked and filled in: what the gateway, the control process and `vedette scan` are told to do.
 *
 * Text in, an immutable structure out; no I/O, no clock. Every setting is one row of settings.def. A wrong file gives one error that
 * names file, line and the nearest valid key or value; nothing is ever half applied. What may end up in a generated nginx.conf
 * (names, addresses, URLs, paths) is restricted to characters that have no meaning there.
 *
 * Secrets are never in a configuration: a key is named by the environment variable that holds it.
 */
#ifndef ENGINE_CONFIG_H
#define ENGINE_CONFIG_H
#include "base/behaviours.h"
#include "base/buf.h"
#include "engine/data_policy.h"
#include "vedette/vedette.h"

/* Strings are NUL-terminated and live as long as the config. Those marked "or NULL" may be left out in the file. */

struct config_tls {
  const char *certificate, *key; /* paths; both or neither (NULL) */
};

struct config_listen {
  const char *gateway, *control; /* "127.0.0.1:8080", "[::1]:8080" or "unix:PATH" */
  struct config_tls gateway_tls, control_tls;
};

/* Who signs in to the control API. */
struct config_host {
  const char *name;
};
/* role: in the order of base/roles.def, from 0. */
struct config_oidc_role {
  const char *value;
  unsigned role;
  const char *workspace; /* or NULL */
};
/* client_id is NULL when people do not sign in by redirect. */
struct config_sign_in {
  const char *client_id, *client_secret_env;          /* client_secret_env may be NULL */
  const char *authorize_url, *token_url, *logout_url; /* logout_url may be NULL */
  const char *redirect_url, *scopes, *title;          /* title may be NULL */
  bool sends_iss;
};
struct config_oidc {
  const char *issuer, *audience;
  const char *keys_file, *keys_url; /* one of them; the other is NULL */
  const char *trust;                /* or NULL */
  const char *algorithms, *role_claim, *name_claim;
  uint64_t clock_skew, refresh, keys_valid; /* seconds */
  struct config_sign_in sign_in;
  struct config_oidc_role *roles;
  size_t n_roles;
};
struct config_control {
  struct config_host *hosts;
  size_t n_hosts;
  uint64_t session, session_idle; /* seconds */
  bool break_glass;
  uint64_t break_glass_for; /* seconds */
  struct config_oidc *oidc;
  size_t n_oidc;
};

/* Who is behind a request, where a proxy or an application says it in its head. */
struct config_proxy {
  const char *network;
};
struct config_context {
  struct config_proxy *proxies;
  size_t n_proxies;
  const char *application_header, *end_user_header, *tenant_header, *source_ip_header; /* or NULL */
  const char *label_header, *upstream_label_header;                                    /* or NULL */
};

struct config_limits {
  uint64_t max_request_body, max_response_body; /* bytes */
  unsigned json_depth, max_parts;
};

#define CONFIG_FOREVER UINT64_MAX
struct config_retention {
  uint64_t alerts, evidence, records, audit; /* seconds, or FOREVER */
};

/* How much text is kept of interactions with findings: none, the suspicious parts, everything. */
enum config_evidence { CONFIG_EVIDENCE_INHERIT, CONFIG_EVIDENCE_OFF, CONFIG_EVIDENCE_SEGMENTS, CONFIG_EVIDENCE_FULL };

struct config_workspace {
  const char *name, *region, *store;    /* store: "sqlite" */
  enum config_evidence prompt_evidence; /* never INHERIT */
  bool mask_evidence;                   /* secrets in whole texts are masked */
  const char *evidence_public_key;      /* file; or NULL: <state_dir>/keys/NAME.pub */
  const char
      *evidence_private_key; /* "file:...", "env:...", "command:...", "none"; or NULL: the file <state_dir>/keys/NAME.key */
  const char *subscription_id, *resource_group; /* or NULL; for the ARM paths of alerts without a resource_id */
  struct config_retention retention;
};

/* SIMULATED: `upstream: simulated`, the built-in model; `vedette run` starts it on <state_dir>/run/model-sim.sock. */
enum config_scheme { CONFIG_HTTP, CONFIG_HTTPS, CONFIG_UNIX, CONFIG_SIMULATED };

struct config_url {
  const char *text; /* as written */
  enum config_scheme scheme;
  const char *host; /* without brackets; the socket's path for UNIX; NULL for SIMULATED */
  unsigned port;    /* 80 or 443 when the URL names none; 0 for UNIX and SIMULATED */
  const char *path; /* prefix before the client's path, no slash at its end; "" when there is none */
};

/* A file of rules of the operator's own; read by who loads the engine. */
struct config_rule_file {
  const char *file;
};

/* A value or a kind that is no finding. */
struct config_allowed {
  const char *hash, *kind, *deployment, *note; /* each may be NULL */
  unsigned line;
};

/* A sensitivity label. */
struct config_label {
  const char *name;
  const char *id; /* or NULL */
  unsigned priority;
  struct data_kind *kinds;
  size_t n_kinds;
};

/* Whom a policy about data is for: patterns of data_pattern_matches(), or NULL for any. */
struct config_who {
  const char *end_user, *application, *tenant;
};
struct config_data_policy {
  struct data_policy policy;
  struct config_who *who;
  size_t n_who;
  struct config_who *except;
  size_t n_except;
};

enum config_switch { CONFIG_INHERIT, CONFIG_OFF, CONFIG_ON };

struct config_phrase {
  const char *text;
};

/* Phrases of the operator's own. The lines of the file are read by who loads the configuration; parsing does no I/O. */
struct config_blocklist {
  const char *name;
  const char *description; /* or NULL */
  struct config_phrase *items;
  size_t n_items;
  const char *file; /* or NULL */
  struct config_phrase *lines;
  size_t n_lines;
};

/* A blocklist that a deployment looks for. */
struct config_used_list {
  const char *name;
  enum vdt_action action, response;
};

struct config_deployment {
  const char *name;
  const char *workspace_name, *policy_name;
  const struct config_workspace *workspace; /* never NULL */
  const struct vdt_policy *policy;          /* never NULL */
  struct config_url upstream;
  const char *resource_id;          /* or NULL */
  const char *api_key_env;          /* or NULL: the client's own credential goes upstream */
  enum config_evidence evidence;    /* its own or the workspace's; never INHERIT once parsed */
  bool prompt_evidence;             /* evidence != OFF */
  bool forward_user_context;        /* the upstream knows user_security_context */
  bool agent;                       /* its alerts are those of agents */
  uint64_t read_timeout;            /* seconds */
  const char *label_name;           /* or NULL */
  const struct config_label *label; /* or NULL */
  struct config_used_list *blocklists;
  size_t n_blocklists;
  const struct vdt_allow *allow;                 /* or NULL; made by who loads the engine */
  enum vdt_action *list_request, *list_response; /* for each list of the configuration; ALLOW: not used. NULL: none is */
};

/* What an outside shield speaks; in the order of the choices of settings.def. */
enum config_shield_kind { CONFIG_PROMPT_SHIELDS, CONFIG_OPENAI_CHAT };

struct config_shield {
  char name[64];
  enum config_shield_kind kind;
  struct config_url endpoint;
  const char *model;   /* or NULL; always there for OPENAI_CHAT */
  const char *key_env; /* or NULL */
};

/* Our own Prompt Shields API, and our own data-security API. */
struct config_content_safety {
  bool enabled;
  const char *policy_name, *workspace_name; /* or NULL */
  const struct vdt_policy *policy;          /* never NULL */
  const struct config_workspace *workspace; /* never NULL */
  unsigned per_10_seconds;
};

/* A threat-intelligence feed; kind and format are those of intel/kinds.def and intel/formats.def. */
struct config_feed {
  const char *name;
  unsigned kind, format;
  const char *file, *url; /* one of them; the other is NULL */
  const char *column;     /* or NULL */
  const char *header_env; /* or NULL */
  uint64_t refresh, stale_after;
};
struct config_intel {
  bool built_in;
  struct config_feed *feeds;
  size_t n_feeds;
  const char *country_database, *network_database; /* or NULL */
  const char *trust;                               /* or NULL */
};

struct config {
  const char *path; /* of the file, as config_parse was told; relative paths begin beside it */
  const char *state_dir;
  const char *rules_dir; /* or NULL */
  struct config_rule_file *rules;
  size_t n_rules;
  struct config_allowed *allowed;
  size_t n_allowed;
  const char *allowed_key; /* or NULL */
  const char *model;       /* or NULL */
  struct config_listen listen;
  struct config_control control;
  struct config_limits limits;
  struct config_context context;
  struct behaviour_limits behaviour;
  struct config_intel intel;
  struct config_workspace *workspaces;
  size_t n_workspaces;
  struct config_deployment *deployments;
  size_t n_deployments;
  struct config_shield *shields;
  size_t n_shields;
  struct config_content_safety content_safety, data_security;
  struct config_blocklist *blocklists;
  size_t n_blocklists;
  const char **list_names; /* of the blocklists */
  struct vdt_policy *policies;
  size_t n_policies;
  struct config_label *labels;
  size_t n_labels;
  const uint8_t *
      label_of_rule; /* per rule of the engine the place of its highest label in labels, from 1; 0: none. By who loads the engine */
  struct config_data_policy *data_policies;
  size_t n_data_policies;
  struct vdt_arena *arena; /* holds all of it */
};

/* name stands in errors. On failure ECONFIG with file and line, or ENOMEM. */
int config_parse(struct str yaml, const char *name, struct config **out, struct vdt_error *err);
/* Accepts NULL. */
void config_free(struct config *config);

/* The deployment of that name, or NULL. */
const struct config_deployment *config_find(const struct config *config, struct str name);

/* The label of that name, in any case, or with that id; NULL when there is none. */
const struct config_label *config_find_label(const struct config *config, struct str name);

/* Does a policy about data hold for these? Empty: it is not known. */
bool config_data_policy_holds(const struct config_data_policy *p, struct str end_user, struct str application, struct str tenant);
/* All that hold, in the order of the file; how many. also: another name of the application, or empty. */
size_t config_data_policies(const struct config *config, struct str end_user, struct str application, struct str also,
                            struct str tenant, const struct data_policy *holds[DATA_POLICIES_MAX]);

/* The shield that a policy asks for a second opinion, or NULL when it asks none. */
const struct config_shield *config_shield_of(const struct config *config, const struct vdt_policy *policy);

/* The file that `vedette run` uses when it is given none. */
struct str config_default(void);

/* Calls each() with every setting that holds, in the order of a file: "policies[standard].credential.response", "redact". Elements of lists are called by
 * their name, else by their number from 1. Phrases of blocklists and hashes of allowed values are "(not shown)". ENOMEM. */
int config_walk(const struct config *config, void (*each)(void *ctx, struct str path, struct str value), void *ctx);
/* The effective configuration as YAML: every setting, in the order of settings.def. config_parse reads it back to the same. */
void config_print(const struct config *config, struct buf *out);

/* One row of settings.def, for help and documentation. */
struct config_setting {
  const char *path;    /* "deployments[].upstream" */
  const char *type;    /* "size", "on or off", ... */
  const char *initial; /* default as written, "required", or "" when it may be left out */
  const char *bounds;  /* "" or "1KiB to 1GiB" */
  const char *help;
};
/* The i-th setting into *out (strings go to the arena); false behind the last. */
bool config_setting_at(size_t i, struct vdt_arena *arena, struct config_setting *out);
/* The region that the name of a host of Azure says, or empty. */
struct str config_region_of(const struct config_url *u);
/* Deployment i contradicts the region of its workspace, as far as the configuration can tell: what[] says how, *key which setting. */
bool config_region_conflict(const struct config *c, size_t i, const char **key, char *what, size_t size);
#endif
