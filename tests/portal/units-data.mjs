// What the pages Data and Sensitive information count and decide, without a browser: limits at their edges, days without an entry, more than fits.
import assert from "node:assert";
import { test } from "./common.mjs";

const lib = (name) => import(`${process.env.PORTAL}/${name}.js`);
const { limits, span, bytes } = await lib("lib/keeping");
const { byDay } = await lib("lib/ledger");
const { regions } = await lib("lib/map");
const { alertsOf, lines } = await lib("pages/sensitive");

const { question } = await lib("pages/overview");

await test("what the overview asks: a span of its own ends now and begins a day before where nothing else is said, in at most sixty steps or in days", () => {
  const now = Date.parse("2026-11-26T12:00:00Z") / 1000, asked = (q) => Object.values(question(new URLSearchParams(q), now));
  assert.deepEqual(asked(""), ["2026-11-25T12:00:00Z", "2026-11-26T12:00:00Z", 1800]);
  assert.deepEqual(asked("span=own"), ["2026-11-25T12:00:00Z", "2026-11-26T12:00:00Z", 1800]);
  assert.deepEqual(asked("span=own&to=2026-11-02T00:00:00Z"), ["2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", 1800]);
  assert.deepEqual(asked("span=own&from=2026-11-26T07:00:00Z"), ["2026-11-26T07:00:00Z", "2026-11-26T12:00:00Z", 300]);
  assert.deepEqual(asked("span=own&from=2026-11-26T06:59:00Z"), ["2026-11-26T06:59:00Z", "2026-11-26T12:00:00Z", 900]);
  assert.deepEqual(asked("span=own&from=2025-11-26T12:00:00Z"), ["2025-11-26T12:00:00Z", "2026-11-26T12:00:00Z", 86400]);
  assert.deepEqual(asked("span=7d&from=2026-11-26T07:00:00Z"), ["2026-11-19T12:00:00Z", "2026-11-26T12:00:00Z", 7200]);
  for (const [from, words] of [["2026-11-26T12:00:00Z", /begin before/], ["2027-01-01T00:00:00Z", /begin before/], ["2025-10-22T11:59:59Z", /400 days/]]) assert.throws(() => asked(`span=own&from=${from}`), words);
  assert.equal(asked("span=own&from=2025-10-22T12:00:00Z")[2], 86400);
  assert.deepEqual(asked("span=own&from=%3Cb%3E&to=2026-13-01T00:00:00Z"), ["2026-11-25T12:00:00Z", "2026-11-26T12:00:00Z", 1800]);
});

const MADE = "2026-11-26T12:00:00Z", DAY = 86400;
const ago = (s) => new Date(Date.parse(MADE) - s * 1000).toISOString();
const statement = (age, holds = 0) => ({ made: MADE, workspaces: [{ name: "weu", legalHolds: holds }], data: [{ title: "Records", stores: [{ workspace: "weu", keptSeconds: 30 * DAY, rows: [{ oldest: ago(5) }, ...(age === null ? [] : [{ oldest: ago(age) }])] }] }, { title: "Keys", stores: [{ workspace: "weu", rows: [] }] }] });

await test("a class is late when its oldest item is older than the limit and a day of grace, not before", () => {
  for (const [age, late] of [[30 * DAY, false], [31 * DAY - 1, false], [31 * DAY, false], [31 * DAY + 1, true], [400 * DAY, true]]) assert.equal(limits(statement(age))[0].late, late, String(age));
  assert.deepEqual(limits(statement(40 * DAY, 2)).map((r) => [r.late, r.held]), [[true, 2]]);
});

await test("the oldest of all tables counts, a clock that is ahead is no age, and a class without a limit has no bar", () => {
  assert.equal(limits(statement(3 * DAY))[0].age, 3 * DAY);
  const ahead = statement(null);
  ahead.data[0].stores[0].rows = [{ oldest: ago(-5 * DAY) }];
  assert.equal(limits(ahead)[0].age, 0);
  assert.equal(limits(statement(null)).length, 1);
  const nothing = statement(null);
  nothing.data[0].stores[0].rows = [{}];
  assert.equal(limits(nothing)[0].age, null);
});

await test("ages and sizes in words", () => {
  assert.deepEqual([0, 119, 120, 7199, 7200, 2 * DAY - 1, 2 * DAY, 90 * DAY].map(span), ["a moment", "a moment", "2 minutes", "119 minutes", "2 hours", "47 hours", "2 days", "90 days"]);
  assert.deepEqual([0, 999, 1000, 1500, 999999, 1e6, 2.5e12, 1e15].map((n) => bytes(n).replace(/[.,]/g, ".")), ["0 B", "999 B", "1 kB", "1.5 kB", "1.000 kB", "1 MB", "2.5 TB", "1.000 TB"]);
});

const sent = (day, name, sentBytes, destination = "https://" + name) => ({ day, name, destination, sentBytes });

await test("what was sent: days without an entry are 0, one day is drawn among a week, workspaces add up", () => {
  const one = byDay([sent("2026-11-26", "a", 5), sent("2026-11-26", "a", 6)]);
  assert.deepEqual([one.times.length, one.series.length, one.series[0].values], [7, 1, [0, 0, 0, 0, 0, 0, 11]]);
  const gap = byDay([sent("2026-11-01", "a", 1), sent("2026-11-26", "a", 2)]);
  assert.deepEqual([gap.times.length, gap.series[0].values.filter((n) => n)], [26, [1, 2]]);
  assert.equal(byDay([sent("2020-01-01", "a", 1), sent("2026-11-26", "a", 2)]).times.length, 401);
});

await test("... five destinations have their lines, of six the least two are one, and no byte is lost", () => {
  const of = (n) => byDay(Array.from({ length: n }, (_, i) => sent("2026-11-26", "n" + i, 100 - i)));
  assert.equal(of(5).series.length, 5);
  const six = of(6);
  assert.deepEqual(six.series.map((s) => s.label).slice(-2), ["n3 at https://n3", "2 others"]);
  assert.equal(six.series.reduce((sum, s) => sum + s.values.at(-1), 0), 100 + 99 + 98 + 97 + 96 + 95);
  assert.equal(byDay([sent("2026-11-26", "__proto__", 1), sent("2026-11-26", "constructor", 2)]).series.length, 2);
});

await test("every region lies on the earth and is known by a name of small letters and digits", () => {
  assert.ok(Object.keys(regions).length > 50);
  for (const [name, [city, x, y]] of Object.entries(regions)) assert.ok(/^[a-z0-9]+$/.test(name) && city && Math.abs(x) <= 180 && y > -58 && y < 80, name);
});

const row = (time, more) => ({ time, interactions: 1, findings: 2, inRequests: 0, inResponses: 2, detected: 0, redacted: 1, stopped: 0, ...more });

await test("rows of sensitive information: the same name is one line over all times, the most first; names from data are no keys of objects", () => {
  const all = lines([row("2026-11-25T00:00:00Z", { user: "b" }), row("2026-11-26T00:00:00Z", { user: "b" }), row("2026-11-26T00:00:00Z", { user: "__proto__" }), row("2026-11-26T00:00:00Z", { user: "" })], "user");
  assert.deepEqual(all.map((l) => [l.name, l.sums.interactions, l.sums.findings, l.values.size]), [["b", 2, 4, 2], ["__proto__", 1, 2, 1], ["no user named", 1, 2, 1]]);
});

await test("a row leads to the alerts of its user, or of its credential, and of its detector", () => {
  const query = (link) => Object.fromEntries(new URLSearchParams(link.split("?")[1]));
  const kinds = new Map([["iban", "sensitive"]]);
  assert.deepEqual(query(alertsOf(new URLSearchParams("span=7d&application=shop"), { user: "a&b=c", kind: "iban" }, kinds)), { status: "any", application: "shop", user: "a&b=c", type: "AI.Azure_DataLeakInModelResponse.Sensitive", since: "7d" });
  assert.deepEqual(query(alertsOf(new URLSearchParams("detector=credential&span=90d"), { user: "key:0123456789abcdef" }, kinds)), { status: "any", q: "0123456789abcdef", type: "AI.Azure_CredentialTheftAttempt" });
  assert.deepEqual(query(alertsOf(new URLSearchParams("workspace=weu"), {}, kinds)), { status: "any", workspace: "weu", since: "30d" });
});
