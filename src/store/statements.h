/* Every statement of the SQLite store: X(id, SQL); included for its rows only. Values are always bound. */
/* clang-format off */
X(BEGIN, "BEGIN IMMEDIATE")
X(COMMIT, "COMMIT")
X(META_GET, "SELECT value FROM meta WHERE key = ?1")
X(META_PUT, "INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2 WHERE value <> ?2")
X(RECORD_PUT, "INSERT INTO interactions VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT(id) DO NOTHING")
X(RECORD_REPLACE, "INSERT OR REPLACE INTO interactions VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)")
X(RECORD_GET, "SELECT record FROM interactions WHERE id = ?1")
X(EGRESS_PUT, "INSERT INTO egress VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT(interaction) DO NOTHING")
X(OFFSET_PUT, "INSERT INTO journal_offsets(file, offset) VALUES(?1, ?2) ON CONFLICT(file) DO UPDATE SET offset = ?2")
X(OFFSET_GET, "SELECT offset FROM journal_offsets WHERE file = ?1")
X(OFFSET_DROP, "DELETE FROM journal_offsets WHERE file = ?1")
X(ALERT_OPEN, "SELECT " FIXED_COLUMNS EXTENDED_COLUMNS("") " FROM alerts WHERE type = ?1 AND x_deployment = ?2 AND principal = ?3 "
  "AND status IN (0, 1) ORDER BY end_us DESC LIMIT 16")
X(ALERT_PUT, "INSERT INTO alerts VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, "
  "?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31) ON CONFLICT(name) DO NOTHING")
X(ALERT_REPLACE, "UPDATE alerts SET (" FIXED_COLUMNS EXTENDED_COLUMNS("") ") = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
  "?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31) WHERE name = ?1")
X(ALERT_GET, "SELECT " FIXED_COLUMNS EXTENDED_COLUMNS("") " FROM alerts WHERE name = ?1")
X(ALERT_LIST, "SELECT " FIXED_COLUMNS EXTENDED_COLUMNS("") " FROM alerts WHERE name > ?1 AND (?2 = '' OR subscription = ?2) "
  "AND (?3 = '' OR resource_group = ?3) AND (?4 = '' OR type = ?4) AND (?5 < 0 OR status = ?5) AND (?6 = '' OR "
  "substr(name, 1, length(?6)) = ?6 OR substr(name, -length(?6)) = ?6 OR substr(name, 21, length(?6)) = ?6) ORDER BY name LIMIT ?7")
X(ALERT_STATUS, "UPDATE alerts SET status = ?2 WHERE name = ?1")
X(ALERT_COUNT, "SELECT type, status, count(*) FROM alerts GROUP BY type, status")
X(ALERT_OF, "SELECT a.name FROM alert_evidence e JOIN alerts a ON a.name = e.alert WHERE e.interaction = ?1 AND a.type = ?2 LIMIT 1")
X(ALERT_FEWER, "UPDATE alerts SET count = count - 1, evidence_total = max(evidence_total - ?2, 0) WHERE name = ?1")
X(EVIDENCE_DROP, "DELETE FROM alert_evidence WHERE alert = ?1 AND interaction = ?2")
X(EVIDENCE_PUT, "INSERT INTO alert_evidence VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)")
X(EVIDENCE_LIST, "SELECT interaction, time_us, part, role, rule, title, reason, redacted, segment, source, confidence, layers, decoded FROM alert_evidence "
  "WHERE alert = ?1 ORDER BY rowid LIMIT 20")
X(HISTORY_PUT, "INSERT INTO alert_history VALUES(?1, ?2, ?3, ?4, ?5)")
X(HISTORY_COUNT, "SELECT count(*) FROM alert_history WHERE alert = ?1")
X(HISTORY_LIST, "SELECT time_us, was, becomes, who FROM alert_history WHERE alert = ?1 ORDER BY rowid")
