/*
 * Settings of subscriptions that are changed through the API and apply to events as they are collected: suppression rules and the plan.
 * Each workspace keeps those of its own subscription, the first one those of all others. They are read again when a store says that there is a
 * newer version.
 */
#ifndef API_SETTINGS_H
#define API_SETTINGS_H
#include "store/store.h"

struct settings {
  struct vdt_arena *arena;
  struct suppress_rule *rules;
  size_t n_rules;
  struct store_plan *plans;
  size_t n_plans;
  uint64_t version; /* of all stores together, when they were read */
  bool read;
};

bool settings_init(struct settings *s);
void settings_finish(struct settings *s);
/* Brings them up to date from the stores. On an error they are as they were. */
int settings_refresh(struct settings *s, struct store *const *stores, size_t n, struct vdt_error *err);
/* The store that keeps the settings of a subscription. */
struct store *settings_keeper(struct store *const *stores, size_t n, struct str subscription);
/* The plan of a subscription, or one with nothing switched. */
struct store_plan settings_plan(const struct settings *s, struct str subscription);
/* Applies them to events: none are left when the plan is off, evidence goes when it is switched off, and what a rule matches is marked as
 * suppressed and dismissed. */
void settings_apply(const struct settings *s, struct alert *events, size_t *n, uint64_t now_us);
#endif
