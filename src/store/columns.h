/* The columns of table alerts behind the fixed ones, one per row of analyse/extended.def and in its order (sqlite.c asserts it). A
 * macro cannot include a file inside of a string, hence the copy. */
#ifndef STORE_COLUMNS_H
#define STORE_COLUMNS_H
#define FIRST_EXTENDED_COLUMNS(after)                                                                                            \
  ", x_application" after ", x_end_user" after ", x_tenant" after ", x_source_ip" after ", x_client_ip" after ", x_key_id" after \
  ", x_user_agent" after ", x_deployment" after ", x_model" after ", x_policy" after ", x_detector" after ", x_rules" after      \
  ", x_found" after ", x_attack_kind" after ", x_action" after ", x_source" after ", x_first_interaction" after                  \
  ", x_last_interaction" after
/* Those of version 1 of the schema, and what came later. */
#define EXTENDED_COLUMNS(after)                                                                                                  \
  FIRST_EXTENDED_COLUMNS(after)                                                                                                  \
  ", x_country" after ", x_network" after ", x_label" after ", x_label_priority" after ", x_data_policy" after
#define FIXED_COLUMNS                                                                                                            \
  "name, type, status, principal, resource_id, subscription, resource_group, start_us, end_us, generated_us, count, "            \
  "confidence, evidence_total, severity, suppressed, incident, classification"
/* What index alerts_scan has: filters and orders need no other column. Text is not looked for in x_end_user: it is part of the principal. */
#define SCAN_COLUMNS                   "name, status, severity, type, end_us, count, confidence, x_deployment, x_application, x_end_user, principal"
#define SCAN_FROM                      "FROM alerts INDEXED BY alerts_scan WHERE "
#define SCAN_ONE_OF(parameter, column) " AND (" parameter " = '' OR " column " IN (SELECT value FROM json_each(" parameter ")))"
#define SCAN_FILTER                                                                                                              \
  "name > ?1 AND name < ?2 AND (?3 >> status & 1) AND (?4 >> severity & 1)" SCAN_ONE_OF("?5", "type")                            \
      SCAN_ONE_OF("?6", "x_deployment") SCAN_ONE_OF("?7", "x_application")                                                       \
          SCAN_ONE_OF("?8", "x_end_user") " AND end_us >= ?9 AND (?10 = '' OR x_application "                                    \
                                          "LIKE ?10 ESCAPE '!' "                                                                 \
                                          "OR x_deployment LIKE ?10 ESCAPE '!' OR principal LIKE ?10 ESCAPE '!')"
/* Every alert that the filter lets through, by name, with what it is sorted by. */
#define SCAN_KEY(column) "SELECT name, " column " " SCAN_FROM SCAN_FILTER " ORDER BY name"
#define SCAN_BY_NAME(order)                                                                                                      \
  "SELECT " FIXED_COLUMNS EXTENDED_COLUMNS("") " FROM alerts WHERE name IN (SELECT name " SCAN_FROM SCAN_FILTER                  \
                                               " ORDER BY name " order " LIMIT ?11) ORDER BY name " order
/* Traffic is counted in slots of five minutes. */
#define TRAFFIC_SLOT(time) time " / 300000000 * 300000000"
/* As many as there are columns. */
#define ALERT_PARAMETERS                                                                                                         \
  "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, "    \
  "?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40"
/* Of alert_evidence and of the data key that it is sealed with, if that is still there; read_evidence() knows the order. */
#define EVIDENCE_COLUMNS                                                                                                         \
  "e.interaction, e.time_us, e.part, e.role, e.rule, e.title, e.reason, e.redacted, e.segment, e.source, e.confidence, "         \
  "e.layers, e.decoded, e.data_key, e.sealed, k.day, k.workspace_key, k.wrapped "                                                \
  "FROM alert_evidence e LEFT JOIN evidence_keys k ON k.id = e.data_key "
enum { FIXED = 17, EXTENDED = 23 };
_Static_assert(FIXED + EXTENDED == 40, "ALERT_PARAMETERS has another number");
#endif
