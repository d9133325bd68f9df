// The one file that knows how the portal speaks to the control API: addresses, the session, and what to tell a person when a request fails.
const versions = { alerts: "2022-01-01", alertsSuppressionRules: "2019-01-01-preview", pricings: "2024-01-01" };

export class ApiError extends Error {
  constructor(status, code, message, advice) {
    super(message);
    Object.assign(this, { status, code, advice });
  }
}

// What a person can do about it, by the error's code, else its status.
const advice = {
  AuthenticationFailed: "Sign in again: the session has ended or the token was revoked.",
  AuthorizationFailed: "Your role does not allow this. Ask an administrator for a token with a role that does (vedette tokens create).",
  AlertNotFound: "It may have passed its retention, or be in a workspace that your token does not reach.",
  AuditLogUnavailable: "The key of the audit log is missing, so nothing that must be recorded is given out. See docs/audit.md.",
  TooManyRequests: "Wait a moment, then try again.",
  0: "The control API did not answer. Is vedette running? Look into state/logs/serve.log.",
  404: "It is not there, or this server is older than the portal.",
  413: "It is longer than the API takes.",
  502: "The control process does not answer; it is started again within seconds. state/logs/serve.log says why it stopped.",
  503: "The service cannot do it now. Try again in a moment.",
};

// ---- session: who is signed in. Pages ask session(); signIn, signOut and an ended session tell who listens. ----

const KEY = "vedette.token";
let token = sessionStorage.getItem(KEY) || "";
const listeners = new Set();
const changed = () => listeners.forEach((f) => f());

export const session = () => (token ? { role: "" } : null);

// Whether who is signed in may do a thing ("evidence": read texts, "change": alerts and rules): true, false, or undefined when it is not known before the server is asked.
const rights = { evidence: ["evidence-reader", "administrator"], change: ["operator", "administrator"] };
export function may(what) {
  const role = session()?.role;
  return role ? rights[what].includes(role) : undefined;
}

export function onSession(f) {
  listeners.add(f);
  return () => listeners.delete(f);
}

export async function signIn({ token: given }) {
  const before = token;
  token = given.trim();
  try {
    await get("/vedette/alertTypes");
  } catch (error) {
    token = before;
    throw error;
  }
  sessionStorage.setItem(KEY, token);
  changed();
}

// Before the first page: whether somebody is signed in already.
export async function start() {}

export async function signOut() {
  token = "";
  sessionStorage.removeItem(KEY);
  changed();
}

// ---- requests ----

function failure(status, body) {
  const e = body?.error || {};
  return new ApiError(status, e.code || (status ? "HTTP " + status : "no answer"), e.message || (status ? "The API answered with " + status + "." : "The API cannot be reached."),
    advice[e.code] || advice[status]);
}

export async function request(method, path, { body, signal } = {}) {
  const headers = { accept: "application/json", authorization: "Bearer " + token };
  if (body !== undefined) headers["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, signal, credentials: "same-origin", redirect: "error", body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (e) {
    if (signal?.aborted) throw e;
    throw failure(0);
  }
  const text = await answer.text();
  let data = null;
  try { data = text ? JSON.parse(text) : null; } catch { /* not ours: a proxy's page, told by its status */ }
  if (answer.ok) return data;
  if (answer.status === 401 && session() && path !== "/vedette/session") signOut();
  throw failure(answer.status, data);
}

export const get = (path, signal) => request("GET", path, { signal });
export const post = (path, body) => request("POST", path, { body });

function withQuery(path, query) {
  const q = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== "" && v !== undefined && v !== null)).toString();
  return q ? path + (path.includes("?") ? "&" : "?") + q : path;
}

const arm = (path, family, query = {}) => withQuery(path, { "api-version": versions[family], ...query });

// ---- alerts: id is ARM's, "/subscriptions/…/alerts/NAME" ----

// evidence: whether the texts of prompts and answers are wanted. Opening them leaves an entry in the audit log, so a page asks for them only when told.
export const alertAt = (id, { evidence, signal }) => get(arm(id, "alerts", evidence ? {} : { "vedette-evidence": "false" }), signal);
export const alertHistory = (id, signal) => get(arm(id + "/history", "alerts"), signal);

// query: of docs/api.md; top 1 to 500. {value: rows, total?, totalIsExact?, next?}
export const listAlerts = (query, signal) => get(withQuery("/vedette/alerts", query), signal);

const stateOf = { dismiss: "Dismissed", resolve: "Resolved", activate: "Active", inProgress: "InProgress" };
export const nameOf = (id) => id.split("/").at(-1);

// Many at once, 500 at most. {failed}: how many could not be changed, because they are gone or out of reach.
export async function changeAlerts(ids, verb, note) {
  if (ids.length === 1) {
    await changeAlert(ids[0], verb, note);
    return { failed: 0 };
  }
  const done = await post("/vedette/alerts/bulk", { names: ids.map(nameOf), status: stateOf[verb], ...note });
  return { failed: ids.length - done.done };
}

// verb: dismiss, resolve, activate, inProgress, comment
export const changeAlert = (id, verb, note) => request("POST", arm(`${id}/${verb}`, "alerts"), { body: note });

const subscriptionOf = (id) => id.split("/").slice(0, 3).join("/");
export const putRule = (alertId, name, properties) =>
  request("PUT", arm(`${subscriptionOf(alertId)}/providers/Microsoft.Security/alertsSuppressionRules/${encodeURIComponent(name)}`, "alertsSuppressionRules"), { body: { properties } });

// What a rule would have hidden in the last days: {examined, complete, matched, open, value: rows}
export const previewRule = (alertId, properties, days) => post("/vedette/suppressionPreview", { subscription: alertId.split("/")[2], days, properties });

export const alertTypes = (signal) => get("/vedette/alertTypes", signal);
