// Sign-in with an identity provider, or with a token. A one-time link signs in by itself (api.js); when it does not work, this page says why.
import { html, useEffect, useState } from "../lib/html.js";
import { Seen } from "../lib/visible.js";
import { Problem } from "../lib/ui.js";
import { goToSignIn, signIn, signInWays } from "../api.js";

const spent = { message: "This link does not work any more.", advice: "A link signs in once, within fifteen minutes. Make a new one with vedette tokens link, or sign in with a token." };

// A button for each identity provider. One that sends browsers back to another address can only be begun there.
function Ways({ ways, onError }) {
  const [busy, wait] = useState("");
  const begin = (issuer) => {
    wait(issuer);
    onError(null);
    goToSignIn(issuer).catch((error) => { onError(error); wait(""); });
  };
  return ways.map(({ issuer, title, portal }) => new URL(portal).origin === location.origin
    ? html`<button key=${issuer} type="button" class="main way" disabled=${busy} onClick=${() => begin(issuer)}>${busy === issuer ? "Going there…" : html`Sign in with <${Seen} text=${title} limit=${40} />`}</button>`
    : html`<p key=${issuer}>To sign in with <${Seen} text=${title} limit=${40} />, open <a href=${portal}>${portal}</a>.</p>`);
}

export default function SignIn({ failed }) {
  const [error, fail] = useState(null);
  const [ways, find] = useState([]);
  useEffect(() => { signInWays().then(find); }, []);
  useEffect(() => { if (failed) fail(failed.code === "AuthenticationFailed" ? spent : failed); }, [failed]);
  const [busy, wait] = useState(false);
  const submit = async (e) => {
    e.preventDefault();
    const token = new FormData(e.currentTarget).get("token");
    wait(true);
    fail(null);
    try {
      await signIn({ token });
    } catch (reason) {
      fail(reason.code === "AuthenticationFailed" ? { message: "This token is not valid.", advice: "Tokens are shown once, when they are made; an administrator makes a new one with vedette tokens create." } : reason);
    }
    wait(false);
  };
  return html`<section class="signin"><h1><img src="icon.svg" alt="" width="32" height="32" /> vedette</h1>
    <p>Sign in to see what happens to your AI deployments.</p>
    ${error && html`<${Problem} error=${error} />`}
    ${ways.length > 0 && html`<div class="stack ways"><${Ways} ways=${ways} onError=${fail} /></div><p class="or dim">or with a token</p>`}
    <form onSubmit=${submit}><input type="text" name="username" autocomplete="username" value="token" hidden /><label>Token<input name="token" type="password" autocomplete="current-password" required spellcheck="false" /></label>
      <button type="submit" class=${ways.length ? "" : "main"} disabled=${busy}>${busy ? "Signing in…" : "Sign in"}</button></form>
    <details><summary>Where do I get a token?</summary><p>The first start writes one for administrators to <code>state/admin.token</code>. Others are made by</p>
      <pre>vedette tokens create NAME --role reader --state state</pre>
      <p>A link that signs in once, without typing a token:</p><pre>vedette tokens link --state state</pre></details></section>`;
}
