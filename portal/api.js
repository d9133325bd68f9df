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
  SignInForeign: "Begin again below: a sign-in holds in the browser that began it, for ten minutes, until vedette is started anew.",
  SignInOver: "Begin again below.",
  SignInUsed: "Begin again below.",
  NoRole: "An administrator of vedette or of your directory gives roles; control.oidc.roles of the configuration says which count.",
  IdentityProviderUnavailable: "A token or a link of vedette still signs in; see below.",
  AuthorizationFailed: "Your role does not allow this. Ask an administrator for a token with a role that does (vedette tokens create).",
  InvalidReason: "Say in one line, in 10 to 500 bytes, why the texts have to be seen.",
  CsrfTokenInvalid: "Reload the page: it is of an earlier session.",
  MisdirectedRequest: "Open the portal by its address, or name this host under control.hosts in the configuration.",
  AlertNotFound: "It may have passed its retention, or be in a workspace that your token does not reach.",
  EvidenceKeyMissing: "docs/evidence.md says where the private key may lie.",
  EvidenceExpired: "Nobody can read it any more; what was found, when and by whom is still there.",
  AuditLogUnavailable: "The key of the audit log is missing, so nothing that must be recorded is given out. See docs/audit.md.",
  TooManyRequests: "Wait a moment, then try again.",
  0: "The control API did not answer. Is vedette running? Look into state/logs/serve.log.",
  404: "It is not there, or this server is older than the portal.",
  413: "It is longer than the API takes.",
  502: "The control process does not answer; it is started again within seconds. state/logs/serve.log says why it stopped.",
  503: "The service cannot do it now. Try again in a moment.",
};

// ---- session: who is signed in. Pages ask session(); signIn, signOut and an ended session tell who listens. The session itself is a cookie that no
// script can read; what is kept here is who it is for and the word that changes must repeat (docs/access.md). ----

let current = null; // {name, role, workspaces, may, csrfToken, expiresUtc}
const listeners = new Set();

function become(who) {
  current = who;
  listeners.forEach((f) => f());
}

export const session = () => current;

// Whether who is signed in may do a thing: "readEvidence", "changeAlerts" (and rules), "administer".
export const may = (what) => Boolean(current?.may?.[what]) || (what === "readEvidence" && glassUntil() !== null);

// Break-glass: until when it is open, or null; whether it could be opened.
export function glassUntil() {
  const until = new Date(current?.breakGlass?.untilUtc || 0);
  return until > Date.now() ? until : null;
}
export const mayBreakGlass = () => Boolean(current?.breakGlass?.allowed);
export async function breakGlass(reason) {
  await post("/vedette/breakGlass", { reason });
  await refreshSession();
}
export async function closeGlass() {
  await request("DELETE", "/vedette/breakGlass");
  await refreshSession();
}

export const refreshSession = async () => become(await request("GET", "/vedette/session").catch(() => current));

export function onSession(f) {
  listeners.add(f);
  return () => listeners.delete(f);
}

// given: {token} or {once}
export async function signIn(given) {
  become(await request("POST", "/vedette/session", { body: given }));
}

// Where the provider that signed somebody in wants to be told, the browser goes there.
export async function signOut() {
  const done = await request("DELETE", "/vedette/session").catch(() => null);
  become(null);
  if (done?.signOutUrl?.startsWith("https://")) location.assign(done.signOutUrl);
}

// ---- signing in by redirect: which identity providers there are, going there, and what they send the browser back with ----

export const signInWays = () => request("GET", "/vedette/signIn").then((d) => d.value, () => []);

const AFTER = "vedette.after"; // the page that was asked for, while the browser is away

export async function goToSignIn(issuer) {
  const { location: there } = await request("POST", "/vedette/signIn", { body: { issuer } });
  try { sessionStorage.setItem(AFTER, location.hash); } catch { /* then the overview comes first */ }
  if (there.startsWith("https://")) location.assign(there);
}

function pageBefore() {
  try {
    const hash = sessionStorage.getItem(AFTER) || "";
    sessionStorage.removeItem(AFTER);
    return hash.startsWith("#/") ? hash : "#/";
  } catch { return "#/"; }
}

// What RFC 6749 and OpenID Connect let a provider say instead of a code; other words are not shown.
const providerErrors = {
  access_denied: "Signing in was refused or cancelled there.",
  login_required: "The identity provider wants you to sign in there first.",
  consent_required: "The identity provider wants a consent that nobody gave yet.",
  interaction_required: "The identity provider wants something more of you.",
  temporarily_unavailable: "The identity provider is not available now.",
  server_error: "The identity provider failed.",
  unauthorized_client: "The portal may not sign in there: its registration does not allow it.",
  invalid_scope: "The identity provider does not know what was asked for (scopes).",
};

// What stands in the address is taken out of it before anything else happens.
async function comeBack(answer) {
  history.replaceState(null, "", location.pathname + pageBefore());
  if (!answer.get("code")) return new ApiError(403, "SignInRefused", providerErrors[answer.get("error")] || "The identity provider did not sign you in.", "Begin again, or sign in with a token.");
  const given = Object.fromEntries(["code", "state", "iss"].filter((k) => answer.get(k)).map((k) => [k, answer.get(k)]));
  return request("POST", "/vedette/signIn/code", { body: given }).then(become, (error) => error);
}

// Before the first page, and when a link is followed in this tab: a one-time link signs in ("#once=SECRET", taken out of the address at once, so that it
// is not in the history), else the session that the browser has goes on. Gives the error of a link that does not work.
export async function start() {
  const answer = new URLSearchParams(location.search);
  if (answer.has("state")) {
    const error = await comeBack(answer);
    if (current) return null;
    become(await request("GET", "/vedette/session").catch(() => null));
    return error;
  }
  const [, once] = location.hash.match(/^#once=(.*)$/s) || [];
  if (once) {
    history.replaceState(null, "", "#/");
    return signIn({ once: decodeURIComponent(once) }).catch((error) => error);
  }
  become(await request("GET", "/vedette/session").catch(() => null));
  return null;
}

// ---- requests ----

function failure(status, body) {
  const e = body?.error || {};
  return new ApiError(status, e.code || (status ? "HTTP " + status : "no answer"), e.message || (status ? "The API answered with " + status + "." : "The API cannot be reached."),
    advice[e.code] || advice[status]);
}

export async function request(method, path, { body, signal } = {}) {
  const headers = { accept: "application/json" };
  if (method !== "GET" && current?.csrfToken) headers["x-vedette-csrf"] = current.csrfToken;
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
  if (answer.status === 401 && current) become(null);
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

// Without the texts of prompts and answers: asking for those leaves an entry in the audit log, so a page asks for them only when a person does.
export const alertAt = (id, { signal }) => get(arm(id, "alerts", { "vedette-evidence": "false" }), signal);
// The texts: {findings: [{interaction, part, rule, text, decoded?, span?, closed?}], texts: [{interaction, request?, response?}]} (docs/evidence.md)
export const alertEvidence = (id) => get(arm(id + "/evidence", "alerts"));
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

// query: from, to, step (docs/overview.md)
export const overview = (query, signal) => get(withQuery("/vedette/overview", query), signal);

// The catalogue changes with the program only: it is asked for once.
let types = null;
export function alertTypes() {
  types ||= get("/vedette/alertTypes").catch((error) => { types = null; throw error; });
  return types;
}

// ---- what is looked for, and trying it: docs/catalogue.md, docs/api.md ----

export const catalogue = (signal) => get("/vedette/catalogue", signal);
export const catalogueRules = (query, signal) => get(withQuery("/vedette/catalogue/rules", query), signal);
export const policies = (signal) => get("/vedette/catalogue/policies", signal);
// {text, as, deployment}: the text is sent in the body only, and kept nowhere
export const scanText = ({ text, as, deployment }) => post("/vedette/scan", { text, as, ...(deployment ? { deployment } : {}) });

// ---- data: the statement, the access log, counts of sensitive information ----

export const dataStatement = (signal) => get("/vedette/dataStatement", signal);

export const legalHolds = (workspace, signal) => get(`/vedette/workspaces/${encodeURIComponent(workspace)}/holds`, signal);

const holdAt = (workspace, name) => `/vedette/workspaces/${encodeURIComponent(workspace)}/holds/${encodeURIComponent(name)}`;
// hold: {endUserId, deployment, alert, since, until, reason}; one of that name is replaced
export const setHold = (workspace, name, hold) => request("PUT", holdAt(workspace, name), { body: hold });
export const releaseHold = (workspace, name, reason) => request("DELETE", holdAt(workspace, name), { body: { reason } });

// What lies on the disk against the statement: how the last look went, and another one. {state, files, …, value: [{fault, means, todo, place, detail}]}
export const dataVerification = (signal) => get("/vedette/dataVerify", signal);
export const beginVerification = () => post("/vedette/dataVerify");

// query: of docs/data-security.md
export const sensitiveInformation = (query, signal) => get(withQuery("/vedette/sensitiveInformation", query), signal);

// A page of the audit log; query: who, what, text, from, to, top (docs/api.md); next: what the page before gave, or "". {value, next}
export async function auditPage(query, next, signal) {
  const page = await get(withQuery("/vedette/audit", { ...query, $skipToken: next }), signal);
  return { value: page.value, next: page.nextLink ? new URL(page.nextLink).searchParams.get("$skipToken") : "" };
}
