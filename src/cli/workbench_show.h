/* How the workbench shows rules and policies: JSON for the control API. Pure: no file is read here. */
#ifndef CLI_WORKBENCH_SHOW_H
#define CLI_WORKBENCH_SHOW_H
#include "api/worker.h"
#include "engine/config.h"
#include "engine/rule.h"

/* The deployment is in one of the workspaces of the view. */
bool workbench_sees(const struct workbench_view *view, const struct config_deployment *d);
/* Detectors with how many rules they have and how often these were met. VDT_OK. */
int workbench_put_summary(const struct rules *rules, const struct workbench_rules *q, struct buf *out);
/* A page of rules with their documentation, examples and hits. VDT_OK. */
int workbench_put_rules(const struct rules *rules, const struct workbench_rules *q, struct buf *out);
/* The settings of the deployments that may be seen and of their policies, and what changed in them last. previous may be NULL. VDT_OK or ENOMEM. */
int workbench_put_policies(const struct config *now, const struct config *previous, uint64_t changed_us,
                           const struct workbench_view *view, struct buf *out);
#endif
