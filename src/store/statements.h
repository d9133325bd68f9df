/* Every statement of the SQLite store: X(id, SQL); included for its rows only. Values are always bound. */
/* clang-format off */
X(BEGIN, "BEGIN IMMEDIATE")
X(SNAPSHOT, "BEGIN")
X(COMMIT, "COMMIT")
X(META_GET, "SELECT value FROM meta WHERE key = ?1")
X(META_PUT, "INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2 WHERE value <> ?2")
X(RECORD_PUT, "INSERT INTO interactions VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT(id) DO NOTHING")
X(RECORD_REPLACE, "INSERT OR REPLACE INTO interactions VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)")
X(RECORD_LIST, "SELECT time_us, id, record FROM interactions WHERE time_us >= ?1 AND (time_us, id) > (?1, ?2) ORDER BY time_us, id LIMIT ?3")
X(RECORD_LIST_OF, "SELECT time_us, id, record FROM interactions WHERE time_us >= ?1 AND (time_us, id) > (?1, ?2) AND end_user = ?4 ORDER BY time_us, id LIMIT ?3")
X(RECORD_GET, "SELECT record FROM interactions WHERE id = ?1")
X(EGRESS_PUT, "INSERT INTO egress VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT(interaction) DO NOTHING")
X(OFFSET_PUT, "INSERT INTO journal_offsets(file, offset) VALUES(?1, ?2) ON CONFLICT(file) DO UPDATE SET offset = ?2")
X(OFFSET_GET, "SELECT offset FROM journal_offsets WHERE file = ?1")
X(OFFSET_DROP, "DELETE FROM journal_offsets WHERE file = ?1")
X(ALERT_OPEN, "SELECT " FIXED_COLUMNS EXTENDED_COLUMNS("") " FROM alerts WHERE type = ?1 AND x_deployment = ?2 AND principal = ?3 "
  "AND status IN (0, 1) ORDER BY end_us DESC LIMIT 16")
X(ALERT_PUT, "INSERT INTO alerts(" FIXED_COLUMNS EXTENDED_COLUMNS("") ") VALUES(" ALERT_PARAMETERS ") ON CONFLICT(name) DO NOTHING")
X(ALERT_REPLACE, "UPDATE alerts SET (" FIXED_COLUMNS EXTENDED_COLUMNS("") ") = (" ALERT_PARAMETERS ") WHERE name = ?1")
X(ALERT_SUPPRESSED, "SELECT " FIXED_COLUMNS EXTENDED_COLUMNS("") " FROM alerts WHERE type = ?1 AND x_deployment = ?2 AND principal = ?3 "
  "AND status = 3 AND suppressed = ?4 ORDER BY end_us DESC LIMIT 16")
X(INCIDENT_PEERS, "SELECT " FIXED_COLUMNS EXTENDED_COLUMNS("") " FROM alerts WHERE x_deployment = ?1 AND principal = ?2 AND status IN (0, 1) "
  "AND end_us BETWEEN ?3 AND ?4 AND incident = '' AND type <> ?5 ORDER BY start_us LIMIT 100")
X(INCIDENT_OPEN, "SELECT " FIXED_COLUMNS EXTENDED_COLUMNS("") " FROM alerts WHERE type = ?1 AND x_deployment = ?2 AND (?3 = '' OR principal = ?3) "
  "AND status IN (0, 1) AND end_us >= ?4 AND start_us <= ?5 ORDER BY end_us DESC LIMIT 1")
X(INCIDENT_ADD, "UPDATE alerts SET incident = ?2 WHERE name = ?1")
X(INCIDENT_MEMBERS, "SELECT name, type, status, severity, start_us FROM alerts WHERE incident = ?1 ORDER BY start_us, name LIMIT 100")
X(ALERT_GET, "SELECT " FIXED_COLUMNS EXTENDED_COLUMNS("") " FROM alerts WHERE name = ?1")
X(ALERT_LIST, "SELECT " FIXED_COLUMNS EXTENDED_COLUMNS("") " FROM alerts WHERE name > ?1 AND (?2 = '' OR subscription = ?2) "
  "AND (?3 = '' OR resource_group = ?3) AND (?4 = '' OR type = ?4) AND (?5 < 0 OR status = ?5) AND (?6 = '' OR "
  "substr(name, 1, length(?6)) = ?6 OR substr(name, -length(?6)) = ?6 OR substr(name, 21, length(?6)) = ?6) "
  "AND end_us >= ?8 AND (?9 = '' OR x_deployment = ?9) AND (?10 = '' OR instr(principal, ?10)) ORDER BY name LIMIT ?7")
X(TRAFFIC_ADD, "INSERT INTO traffic VALUES(" TRAFFIC_SLOT("?1") ", ?2, 1, ?3, ?4 = 'detected', ?4 = 'redacted', ?4 = 'cut', ?4 = 'blocked', ?4 = 'not-inspected', ?5 >= 500) "
  "ON CONFLICT DO UPDATE SET requests = requests + 1, tokens = tokens + excluded.tokens, detected = detected + excluded.detected, redacted = redacted + excluded.redacted, "
  "cut = cut + excluded.cut, blocked = blocked + excluded.blocked, not_inspected = not_inspected + excluded.not_inspected, failed = failed + excluded.failed")
X(TRAFFIC_TAKE, "UPDATE traffic SET requests = requests - 1, tokens = tokens - i.total_tokens, detected = detected - (i.verdict = 'detected'), redacted = redacted - (i.verdict = 'redacted'), "
  "cut = cut - (i.verdict = 'cut'), blocked = blocked - (i.verdict = 'blocked'), not_inspected = not_inspected - (i.verdict = 'not-inspected'), failed = failed - (i.status >= 500) "
  "FROM interactions AS i WHERE i.id = ?1 AND slot_us = " TRAFFIC_SLOT("i.time_us") " AND traffic.deployment = i.deployment")
X(TRAFFIC_LIST, "SELECT slot_us, deployment, requests, tokens, detected, redacted, cut, blocked, not_inspected, failed FROM traffic WHERE slot_us >= ?1 AND slot_us < ?2")
X(SCAN_COUNTS, "SELECT status, severity, end_us >= ?1 AND name > ?2, type, x_application, x_end_user FROM alerts INDEXED BY alerts_scan")
X(RULE_HITS, "SELECT rule, count(*), max(time_us) FROM (SELECT rule, time_us FROM alert_evidence WHERE time_us >= ?1 ORDER BY time_us DESC LIMIT ?2) GROUP BY rule")
X(PAGE_NEWEST, SCAN_BY_NAME(""))
X(PAGE_OLDEST, SCAN_BY_NAME("DESC"))
X(SORT_END, SCAN_KEY("end_us"))
X(SORT_SEVERITY, SCAN_KEY("severity"))
X(SORT_COUNT, SCAN_KEY("count"))
X(SORT_CONFIDENCE, SCAN_KEY("confidence"))
X(SORT_STATUS, SCAN_KEY("status"))
X(SORT_TYPE, SCAN_KEY("type"))
X(SORT_DEPLOYMENT, SCAN_KEY("x_deployment"))
X(SORT_APPLICATION, SCAN_KEY("x_application"))
X(SORT_USER, SCAN_KEY("x_end_user"))
X(PAGE_TALLY, "SELECT count(*) FROM (SELECT 1 " SCAN_FROM SCAN_FILTER " LIMIT ?11)")
X(SEVERITY_SET, "UPDATE alerts SET severity = ?2 WHERE severity < 0 AND type = ?1")
X(ALERT_STATUS, "UPDATE alerts SET status = ?2, classification = ?3 WHERE name = ?1")
X(ALERT_COUNT, "SELECT type, status, count(*) FROM alerts GROUP BY type, status")
X(ALERT_OF, "SELECT a.name FROM alert_evidence e JOIN alerts a ON a.name = e.alert WHERE e.interaction = ?1 AND a.type = ?2 LIMIT 1")
X(ALERT_FEWER, "UPDATE alerts SET count = count - 1, evidence_total = max(evidence_total - ?2, 0) WHERE name = ?1")
X(EVIDENCE_DROP, "DELETE FROM alert_evidence WHERE alert = ?1 AND interaction = ?2")
X(EVIDENCE_PUT, "INSERT INTO alert_evidence VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)")
X(EVIDENCE_OF, "SELECT " EVIDENCE_COLUMNS "WHERE e.interaction = ?1 ORDER BY e.rowid LIMIT ?2")
X(EVIDENCE_LIST, "SELECT " EVIDENCE_COLUMNS "WHERE e.alert = ?1 ORDER BY e.rowid LIMIT 20")
X(DATA_KEY_PUT, "INSERT INTO evidence_keys VALUES(?1, ?2, ?3, ?4) ON CONFLICT(id) DO NOTHING")
X(DATA_KEY_LIST, "SELECT workspace_key, count(*), min(day), max(day) FROM evidence_keys GROUP BY workspace_key ORDER BY min(day)")
X(DATA_KEY_DROP, "DELETE FROM evidence_keys WHERE day < ?1 AND id NOT IN (SELECT data_key FROM alert_evidence) "
  "AND id NOT IN (SELECT data_key FROM evidence_texts)")
X(TEXT_PUT, "INSERT INTO evidence_texts VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(interaction, side) DO NOTHING")
X(TEXT_GET, "SELECT t.side, t.cut, t.data_key, t.sealed, k.day, k.workspace_key, k.wrapped FROM evidence_texts t "
  "LEFT JOIN evidence_keys k ON k.id = t.data_key WHERE t.interaction = ?1")
X(TEXT_DROP, "DELETE FROM evidence_texts WHERE time_us < ?1 AND interaction NOT IN (SELECT interaction FROM alert_evidence)")
X(HISTORY_PUT, "INSERT INTO alert_history VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)")
X(HISTORY_COUNT, "SELECT count(*) FROM alert_history WHERE alert = ?1")
X(HISTORY_LIST, "SELECT time_us, was, becomes, who, comment, classification FROM alert_history WHERE alert = ?1 ORDER BY rowid")
X(RULE_PUT, "INSERT OR REPLACE INTO suppression_rules VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
X(RULE_DELETE, "DELETE FROM suppression_rules WHERE subscription = ?1 AND name = ?2")
X(RULE_LIST, "SELECT subscription, name, alert_type, reason, comment, scope, enabled, modified_us, expires_us, who FROM suppression_rules "
  "WHERE (?1 = '' OR subscription = ?1) AND (?2 = '' OR name = ?2) AND (?3 = '' OR alert_type = ?3) AND name > ?4 ORDER BY name LIMIT ?5")
X(PLAN_PUT, "INSERT OR REPLACE INTO plans VALUES(?1, ?2, ?3, ?4, ?5, ?6)")
X(PLAN_LIST, "SELECT subscription, standard, evidence, purview, since_us, who FROM plans WHERE ?1 = '' OR subscription = ?1")
X(USE_ADD, "INSERT INTO sensitive_use VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) ON CONFLICT DO UPDATE SET "
  "type = ?8, type_id = ?9, interactions = interactions + ?10, findings = findings + ?11, requests = requests + ?12, responses = responses + ?13, "
  "detected = detected + ?14, redacted = redacted + ?15, stopped = stopped + ?16")
X(USE_LIST, "SELECT CASE WHEN ?1 > 0 THEN hour_us / ?1 * ?1 ELSE 0 END AS t, CASE WHEN ?2 & 1 THEN application ELSE '' END AS a, "
  "CASE WHEN ?2 & 2 THEN end_user ELSE '' END AS u, CASE WHEN ?2 & 4 THEN tenant ELSE '' END AS o, CASE WHEN ?2 & 8 THEN deployment ELSE '' END AS d, "
  "CASE WHEN ?2 & 16 THEN detector ELSE '' END AS e, CASE WHEN ?2 & 32 THEN kind ELSE '' END AS k, "
  "CASE WHEN ?2 & 32 THEN max(type) ELSE '' END, CASE WHEN ?2 & 32 THEN max(type_id) ELSE '' END, "
  "sum(interactions) AS n, sum(findings), sum(requests), sum(responses), sum(detected), sum(redacted), sum(stopped) FROM sensitive_use "
  "WHERE hour_us >= ?3 AND hour_us < ?4 AND (kind <> '') = (?5 = 2) AND (detector <> '') = (?5 > 0) AND (?7 = '' OR application = ?7) "
  "AND (?8 = '' OR end_user = ?8) AND (?9 = '' OR tenant = ?9) AND (?10 = '' OR deployment = ?10) AND (?11 = '' OR detector = ?11) "
  "AND (?12 = '' OR kind = ?12) GROUP BY t, a, u, o, d, e, k ORDER BY t, n DESC, a, u, o, d, e, k LIMIT ?6")
X(AUDIT_PUT, "INSERT INTO audit(time_us, who, what, target, detail) VALUES(?1, ?2, ?3, ?4, ?5)")
X(AUDIT_HASH, "UPDATE audit SET hash = ?2 WHERE id = ?1")
X(AUDIT_HEAD, "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")
X(AUDIT_ALL, "SELECT id, time_us, who, what, target, detail, hash FROM audit ORDER BY id")
X(AUDIT_LIST, "SELECT id, time_us, who, what, target, detail, hash FROM audit WHERE time_us < ?1 AND time_us >= ?3 "
  "AND (?4 = '' OR instr(lower(who), lower(?4))) AND (?5 = '' OR instr(lower(what), lower(?5))) "
  "AND (?6 = '' OR instr(lower(target), lower(?6)) OR instr(lower(detail), lower(?6))) ORDER BY time_us DESC, id DESC LIMIT ?2")
X(TRANSFER_PUT, "INSERT INTO transfers VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(day, kind, name, destination) DO UPDATE SET "
  "count = count + ?5, sent = sent + ?6, received = received + ?7")
X(TRANSFER_LIST, "SELECT day, kind, name, destination, count, sent, received FROM transfers WHERE day >= ?1 ORDER BY day, kind, name, destination")
X(TEXT_LIST, "SELECT a.x_deployment, a.subscription, count(*), min(e.time_us), max(e.time_us), sum(e.segment <> '' OR e.decoded <> ''), "
  "max(CASE WHEN e.segment <> '' OR e.decoded <> '' THEN e.time_us END) FROM alert_evidence e JOIN alerts a ON a.name = e.alert "
  "WHERE e.segment <> '' OR e.decoded <> '' OR length(e.sealed) > 0 GROUP BY 1, 2 ORDER BY 1, 2")
#include "store/statements_keep.h"
