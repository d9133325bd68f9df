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
};

/* The direction of a scan. */
unsigned bind_direction(const struct vdt_policy *policy, enum vdt_role role);
/* What a leak policy does in a direction, kinds aside. */
enum vdt_action bind_action(const struct vdt_leak_policy *p, unsigned direction);
/* Is the value of this rule's finding one that may pass? */
bool bind_allows(const struct vdt_allow *allow, uint32_t rule, struct str value);
#endif
