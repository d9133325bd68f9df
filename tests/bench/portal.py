#!/usr/bin/env python3
"""What the portal's lists take with many alerts in the store: milliseconds of CPU of `vedette serve`, then of whole HTTP requests, the best and the worst of five.

VEDETTE_SRC=. VEDETTE_BUILD=build tests/bench/portal.py [ALERTS [RECORDS]]

A store is filled with SQL, which only this program does, in a new folder under TMPDIR: 1,000,000 alerts take 1 GB and a minute. Not a test."""
import os, sqlite3, sys, time, urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../api"))
from stand import *

ALERTS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
RECORDS = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
TYPES = ["AI.Azure_CredentialTheftAttempt", "AI.Azure_Jailbreak.ContentFiltering.BlockedAttempt", "AI.Azure_Jailbreak.ContentFiltering.DetectedAttempt", "AI.Azure_ASCIISmuggling",
         "AI.Azure_MaliciousUrl.ModelResponse", "AI.Azure_DataLeakInModelResponse.Sensitive"]
# One alert each six seconds, back from now, so that none is past its retention; 50,000 users, 40 applications, 20 deployments; two in a hundred are active.
FILL = """WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :alerts), a AS (SELECT i, ((i * 2654435761 & 0xffffffff) * 40503 >> 16) & 0xfffffff AS h, :now - i * 6000000 AS t FROM n)
INSERT INTO alerts(name, type, status, principal, resource_id, subscription, resource_group, start_us, end_us, generated_us, count, confidence, evidence_total, severity, x_application, x_end_user, x_tenant,
  x_source_ip, x_client_ip, x_key_id, x_user_agent, x_deployment, x_model, x_policy, x_detector, x_rules, x_found, x_attack_kind, x_action, x_source, x_first_interaction, x_last_interaction)
SELECT printf('%019d_%08x-0000-8000-8000-%012x', 3155378975999999999 - (621355968000000000 + t * 10), h, i), json_extract(:types, '$[' || (h % 6) || ']'),
  CASE WHEN h % 100 < 2 THEN 0 WHEN h % 100 < 3 THEN 1 WHEN h % 100 < 63 THEN 2 ELSE 3 END, printf('user:user-%05d@contoso.example', h % 50000), '', :zero, 'vedette', t, t + h % 3600 * 1000000, t, 1 + h % 20, 50 + h % 50, 3, 1 + h % 3,
  'app-' || (h % 40), printf('user-%05d@contoso.example', h % 50000), '', '198.51.100.' || (h % 250), '203.0.113.' || (h % 250), printf('%016x', h), 'openai-python/1.61.0', 'deploy-' || (h % 20), 'gpt-4o-2024-11-20', 'standard',
  'credential', 'github-pat', 'GitHub token', '', 'redacted', 'vedette', printf('%032x', i), printf('%032x', i) FROM a"""
# A month of traffic of 20 deployments, without the JSON of records.
TRAFFIC = """WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :records)
INSERT INTO interactions SELECT printf('%032x', i), :now - i * (2500000000000 / :records), 'deploy-' || (i * 7 % 20), 'gpt-4o', 'user-' || (i * 7919 % 50000), '', '', 200, 'complete',
  CASE WHEN i % 50 = 0 THEN 'blocked' WHEN i % 50 = 1 THEN 'detected' ELSE 'allow' END, 0, 900000, 800, '{}' FROM n"""
LISTS = {"first page": "", "second page": None, "sorted by severity": "sort=severity", "sorted by user": "sort=user&order=asc", "the oldest first": "order=asc", "active ones": "status=Active", "active and high, by count": "status=Active&severity=High&sort=count",
         "one user (20 alerts)": "user=user-00017@contoso.example", "... by severity": "user=user-00017@contoso.example&sort=severity", "text in names, 20 alerts": "q=user-00017", "text in names, 2,000 alerts": "q=-005", "text that is nowhere": "q=nowhere",
         "... sorted by severity": "q=nowhere&sort=severity", "text in 200 alerts, by user": "q=user-0001&sort=user", "the last day": "from=" + stamp(time.time() - 86400), "a type, a deployment, a severity": "type=AI.Azure_ASCIISmuggling&deployment=deploy-3&severity=High"}


def fill(s):
    db = sqlite3.connect(s.state + "/workspaces/weu/vedette.db")
    db.executescript("PRAGMA synchronous = OFF")
    begin = time.time()
    db.execute(FILL, {"alerts": ALERTS, "now": int(time.time() * 1e6), "zero": ZERO, "types": json.dumps(TYPES)})
    db.commit()
    db.execute(TRAFFIC, {"records": RECORDS, "now": int(time.time() * 1e6)})
    db.commit()
    db.executescript(schema_before(11) + "PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    print(f"{ALERTS:,} alerts and {RECORDS:,} records in {time.time() - begin:.0f} s, {os.path.getsize(s.state + '/workspaces/weu/vedette.db') / 1e6:.0f} MB")


def cpu_ms(s):
    """On a CPU, all threads: that others use the machine too does not count."""
    folder = f"/proc/{s.process.pid}/task"
    return sum(int(open(f"{folder}/{t}/schedstat").read().split()[0]) for t in os.listdir(folder)) / 1e6


def measure(s, path):
    wall, cpu = [], []
    for _ in range(5):
        begin, used = time.perf_counter(), cpu_ms(s)
        status, page, _ = s.get(path)
        wall.append(1e3 * (time.perf_counter() - begin))
        cpu.append(cpu_ms(s) - used)
    return min(cpu), min(wall), max(wall), status, page


if __name__ == "__main__":
    s = Stand()
    try:
        s.kill(signal.SIGTERM)
        fill(s)
        begin = time.perf_counter()
        s.start()
        print(f"start, with the traffic of these records counted: {time.perf_counter() - begin:.1f} s")
        for days in (1, 30):
            cpu, low, high, status, page = measure(s, "/vedette/overview?from=" + stamp(time.time() - days * 86400))
            print(f"| overview of {days} days | {cpu:.0f} | {low:.0f} | {high:.0f} | {page['totals']['requests']} requests, {len(page['times'])} steps |")
        print(f"a request that does nothing: {measure(s, '/healthz')[1]:.1f} ms")
        first = s.get("/vedette/alerts")[1]
        for name, query in LISTS.items():
            cpu, low, high, status, page = measure(s, "/vedette/alerts?" + (query if query is not None else "after=" + first["next"]))
            print(f"| {name} | {cpu:.0f} | {low:.0f} | {high:.0f} | {len(page['value'])} of {page.get('total', '')}{'' if page.get('totalIsExact', True) else '+'} |" if status == 200 else page)
    finally:
        s.stop()
