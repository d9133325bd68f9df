// What the browser's tests share: TAP, a browser, signing in. Nothing here knows a page.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { record } from "../clients/record.mjs";

export const { CONTROL, GATEWAY, STATE, PORTAL } = process.env;
export const admin = STATE ? readFileSync(`${STATE}/admin.token`, "utf8").trim() : "";
export const at = (fragment = "") => `${CONTROL}/portal/#/${fragment}`;

let n = 0;
export async function test(name, fn) {
  n += 1;
  try {
    await fn();
    console.log(`ok ${n} - ${name}`);
  } catch (error) {
    for (const line of String(error.stack || error).split("\n").slice(0, 14)) console.log("# " + line);
    console.log(`not ok ${n} - ${name}`);
  }
}

// root cannot use the browser's sandbox; a test's pages are our own
export async function browser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: process.getuid() === 0 ? ["--no-sandbox"] : [] });
}

// What the control API answered to a page, for tests/api/described.py. A page that is left takes the bodies with it, and of what a page of
// another origin may not read there is none.
async function answered(answer) {
  const type = answer.headers()["content-type"] ?? "";
  if (!process.env.ANSWERS || !["fetch", "xhr"].includes(answer.request().resourceType()) || !answer.url().startsWith(CONTROL + "/") || type.includes("event-stream") || answer.status() === 304) return;
  const body = await answer.text().catch(() => null);
  if (body || (body === "" && !type)) record(answer.request().method(), answer.url().slice(CONTROL.length), answer.status(), type, body);
}

// A page whose complaints and requests to other places are kept.
export async function page(b, options = {}) {
  const context = await b.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB", timezoneId: "Europe/Berlin", colorScheme: "light", ...options });
  const p = await context.newPage();
  p.said = [];
  p.elsewhere = [];
  p.on("console", (m) => p.said.push(m.text()));
  p.on("pageerror", (e) => p.said.push("error: " + e.message));
  p.on("request", (r) => { if (!r.url().startsWith(CONTROL + "/")) p.elsewhere.push(r.url()); });
  p.on("response", answered);
  p.setDefaultTimeout(20000);
  return p;
}

export async function signIn(p, token = admin, fragment = "") {
  await p.goto(at(fragment));
  await p.fill("input[name=token]", token);
  await p.keyboard.press("Enter");
  await p.waitForSelector("header.top");
}

// Goes to a page of the portal and waits until nothing is loading there.
export async function open(p, fragment) {
  await p.goto(at(fragment));
  await settled(p);
}

export async function settled(p) {
  await p.waitForFunction(() => document.querySelector("main h1") && !/Loading/.test(document.querySelector("main").innerText));
}

export async function api(path, token = admin) {
  const answer = await fetch(CONTROL + path, { headers: { authorization: "Bearer " + token } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

// The rows of a CSV file, as RFC 4180 reads them.
export function parseCsv(text) {
  const rows = [[]];
  for (const [, quoted, end] of text.replace(/^\ufeff/, "").matchAll(/"((?:[^"]|"")*)"(,|\r\n)/g)) {
    rows.at(-1).push(quoted.replaceAll('""', '"'));
    if (end !== ",") rows.push([]);
  }
  return rows.slice(0, -1);
}

// Presses the button and gives the file's rows.
export async function downloadCsv(p) {
  const [file] = await Promise.all([p.waitForEvent("download"), p.click("text=Download CSV")]);
  return parseCsv(readFileSync(await file.path(), "utf8"));
}

export const subscription = "/subscriptions/00000000-0000-0000-0000-000000000000";
export const alerts = async () => (await api(`${subscription}/providers/Microsoft.Security/alerts?api-version=2022-01-01&vedette-evidence=false`)).value;
