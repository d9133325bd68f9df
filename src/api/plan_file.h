/*
 * What of the plan the gateway has to know, as a file that its workers read: <state>/spool/plan, a line "SUBSCRIPTION on" or "SUBSCRIPTION off" for each
 * subscription whose prompt evidence was switched. Written whole or not at all. The gateway's side is gateway/plan.h.
 */
#ifndef API_PLAN_FILE_H
#define API_PLAN_FILE_H
#include "store/store.h"

/* From the plans of all stores. VDT_OK, or EIO with the reason in err. */
int plan_file_write(const char *state_dir, struct store *const *stores, size_t n, struct vdt_arena *arena, struct vdt_error *err);
#endif
