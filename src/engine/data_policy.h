/*
 * Policies about data: what holds for some people besides the policy of a deployment, and only ever makes it stricter. For each rule and direction
 * the strongest action counts, and a finding says whose it was.
 *
 * Kinds are rules by their names ("github-pat", "github-*"), or sensitive information types of Microsoft Purview by their names or GUIDs ("Credit
 * card number"), or its bundle "All credentials". They are looked up once, when a configuration is loaded; what a request then costs is a pass over
 * one byte per rule and direction.
 */
#ifndef ENGINE_DATA_POLICY_H
#define ENGINE_DATA_POLICY_H
#include "engine/engine.h"

enum { DATA_POLICIES_MAX = 250 };

struct data_kind {
  const char *kind;
  unsigned line; /* of a configuration file, for errors; 0 for none */
};

/* The rules that kinds name: one byte per rule of the engine, 1 for those. In the arena. ECONFIG: a kind that nothing has, with its line and the
 * nearest name. Only credentials and sensitive data have kinds here. */
int data_kinds_find(const struct vdt_engine *engine, struct vdt_arena *arena, const struct data_kind *kinds, size_t n,
                    uint8_t **out, struct vdt_error *err);

struct data_policy {
  const char *name;
  enum vdt_action prompt, response;
  enum vdt_override document, tool_call; /* SAME: as prompt, as response */
  struct data_kind *kinds;
  size_t n_kinds;
  const uint8_t *rules; /* data_kinds_find() */
};

/* The policy with all of these on top of it, for scans with that engine. What it is made of is in the arena; names are borrowed. n is at most
 * DATA_POLICIES_MAX. VDT_OK or VDT_ENOMEM. */
int data_policy_tighten(const struct vdt_engine *engine, struct vdt_arena *arena, const struct vdt_policy *policy,
                        const struct data_policy *const *more, size_t n, struct vdt_policy *out);

/* "*" stands for any bytes, also none; ASCII letters match in any case. */
bool data_pattern_matches(struct str pattern, struct str text);
#endif
