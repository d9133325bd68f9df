/*
 * What is bound to an engine: actions by kind, and values that are allowed.
 *
 * A policy says rules by their names and values by their hashes; a scan wants to know at once. So names are looked up once, when a configuration
 * is loaded, into one action per rule and direction.
 */
#ifndef ENGINE_BIND_H
#define ENGINE_BIND_H
#include "engine/engine.h"

/* Directions: the roles, and what a model calls tools with. */
enum { BIND_TOOL_CALL = VDT_RESPONSE + 1, BIND_DIRECTIONS };

struct vdt_bound {
  const struct vdt_engine *engine;
  uint8_t *action[BIND_DIRECTIONS]; /* enum vdt_action per rule */
  uint8_t strongest[BIND_DIRECTIONS][VDT_DETECTORS];
  uint8_t *mask; /* enum vdt_mask_style per rule */
  /* Which policy about data decided, per rule: 0 none, else its place in names. NULL: there are none. (data_policy.h) */
  uint8_t *by[BIND_DIRECTIONS];
  const char *const *names;
};

/* Does a kind of a policy name this rule? "github-pat", or "github-*". */
bool bind_names(const char *kind, const char *rule);
/* What a policy does, rule by rule; in the arena. VDT_OK or VDT_ENOMEM. */
int bind_new(const struct vdt_engine *engine, struct vdt_arena *arena, const struct vdt_policy *policy, struct vdt_bound **out);

/* The direction of a scan. */
unsigned bind_direction(const struct vdt_policy *policy, enum vdt_role role);
/* What a leak policy does in a direction, kinds aside. */
enum vdt_action bind_action(const struct vdt_leak_policy *p, unsigned direction);
/* Is the value of this rule's finding one that may pass? */
bool bind_allows(const struct vdt_allow *allow, uint32_t rule, struct str value);
#endif
