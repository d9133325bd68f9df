// Break-glass: an operator, who works without texts, opens them for a bounded time and says why (docs/access.md). It is never silent: a band on every page
// says that it is open.
import { html, useEffect, useState } from "./html.js";
import { Dialog } from "./keys.js";
import { Problem } from "./ui.js";
import { Time } from "./time.js";
import { announce } from "./live.js";
import { breakGlass, closeGlass, glassUntil, refreshSession } from "../api.js";

export function GlassDialog({ onOpen, onClose }) {
  const [error, fail] = useState(null);
  const submit = async (e) => {
    e.preventDefault();
    const reason = new FormData(e.currentTarget).get("reason").trim();
    try {
      await breakGlass(reason);
      onClose();
      onOpen();
    } catch (caught) { fail(caught); }
  };
  return html`<${Dialog} title="Break glass" onClose=${onClose}><p>Your role works without texts of prompts and answers. When one has to be seen at once, open them for a bounded time. Your name and your reason go to the audit log and the
    overview before anything is shown, and each text that you open does too.</p>${error && html`<${Problem} error=${error} />`}
    <form class="stack" onSubmit=${submit}><label>Reason (at least 10 characters)<input name="reason" minlength="10" maxlength="400" required data-first autocomplete="off" /></label>
      <div class="row"><button class="main">Open texts</button><button type="button" onClick=${onClose}>Cancel</button></div></form></${Dialog}>`;
}

export function GlassBand() {
  const until = glassUntil();
  const [error, fail] = useState(null);
  useEffect(() => {
    if (!until) return undefined;
    const timer = setTimeout(refreshSession, until - Date.now() + 500);
    return () => clearTimeout(timer);
  }, [until?.getTime()]);
  if (!until) return null;
  const close = () => closeGlass().then(() => announce("Closed."), fail);
  return html`<div class="band row" role="region" aria-label="Break-glass"><strong>Break-glass is open</strong><span>until <${Time} at=${until.toISOString()} short />. What you read is recorded.</span><button type="button" onClick=${close}>Close it now</button>${error && html`<span>${error.message}</span>`}</div>`;
}
