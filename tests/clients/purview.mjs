// What an application does that asks before it sends: scopes once, content each time with the tag, and a word about what was done.
import { test } from "node:test";
import assert from "node:assert/strict";

const { GATEWAY } = process.env;
const TOKEN = "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";
const location = { "@odata.type": "microsoft.graph.policyLocationApplication", value: "83ef208a-0396-4893-9d4f-d36efbffc8bd" };

async function call(user, operation, body, headers = {}) {
  const r = await fetch(`http://${GATEWAY}/v1.0/users/${encodeURIComponent(user)}/dataSecurityAndGovernance/${operation}`, {
    method: "POST", headers: { "content-type": "application/json", authorization: "Bearer none", ...headers }, body: JSON.stringify(body) });
  return { status: r.status, etag: r.headers.get("etag"), body: await r.json() };
}

const content = (text, activity) => ({ contentToProcess: {
  contentEntries: [{ "@odata.type": "microsoft.graph.processConversationMetadata", identifier: "1", name: "message", isTruncated: false, createdDateTime: "2026-11-26T10:00:00Z", modifiedDateTime: "2026-11-26T10:00:00Z",
    content: { "@odata.type": "microsoft.graph.textContent", data: text } }],
  activityMetadata: { activity }, protectedAppMetadata: { name: "Shop", version: "1", applicationLocation: location }, integratedAppMetadata: { name: "Shop", version: "1" } } });

const blocks = (answer) => answer.body.policyActions.some((a) => a.action === "restrictAccess" && a.restrictionAction === "block");

test("scopes, content and activity of a user for whom a policy holds", async () => {
  const user = "ext-7@contoso.com";
  const scopes = await call(user, "protectionScopes/compute", { activities: "uploadText,downloadText", locations: [location] });
  assert.equal(scopes.status, 200);
  assert.deepEqual(scopes.body.value.map((s) => [s.activities, s.executionMode, s.locations[0].value]), [["uploadText,downloadText", "evaluateInline", location.value]]);
  const tag = { "if-none-match": scopes.etag };
  const prompt = await call(user, "processContent", content(`push with ${TOKEN}`, "uploadText"), tag);
  assert.deepEqual([prompt.status, prompt.body.protectionScopeState, prompt.etag, blocks(prompt)], [200, "notModified", scopes.etag, true]);
  const answer = await call(user, "processContent", content("Good morning.", "downloadText"), tag);
  assert.deepEqual([answer.status, blocks(answer), answer.body.processingErrors], [200, false, []]);
  const told = await call(user, "activities/contentActivities", { userId: user, scopeIdentifier: "s", contentMetadata: content(TOKEN, "uploadText").contentToProcess });
  assert.equal(told.status, 201);
  assert.equal(told.body.userId, user);
  assert.ok(!JSON.stringify(told.body).includes(TOKEN));
});

test("another user may, and has another tag", async () => {
  const scopes = await call("anna", "protectionScopes/compute", { activities: "downloadText", locations: [location] });
  const prompt = await call("anna", "processContent", content(`push with ${TOKEN}`, "uploadText"), { "if-none-match": '"00000000000000000000000000000000"' });
  assert.deepEqual([blocks(prompt), prompt.body.protectionScopeState, prompt.etag], [false, "modified", scopes.etag]);
});

test("errors are Graph's", async () => {
  const wrong = await call("anna", "processContent", { contentToProcess: {} });
  assert.deepEqual([wrong.status, wrong.body.error.code], [400, "BadRequest"]);
});
