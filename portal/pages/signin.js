// Sign-in with a token. A one-time link (the address ends in #/link/CODE) signs in by itself; the code is in the fragment, which no server sees.
import { html, useState } from "../lib/html.js";
import { Problem } from "../lib/ui.js";
import { signIn } from "../api.js";

export default function SignIn() {
  const [error, fail] = useState(null);
  const [busy, wait] = useState(false);
  const submit = async (e) => {
    e.preventDefault();
    const token = new FormData(e.currentTarget).get("token");
    wait(true);
    fail(null);
    try {
      await signIn({ token });
    } catch (reason) {
      fail(reason.code === "AuthenticationFailed" ? { ...reason, message: "This token is not valid.", advice: "Tokens are shown once, when they are made; an administrator makes a new one with vedette tokens create." } : reason);
    }
    wait(false);
  };
  return html`<section class="signin"><h1><img src="icon.svg" alt="" width="32" height="32" /> vedette</h1>
    <p>Sign in to see what happens to your AI deployments.</p>
    ${error && html`<${Problem} error=${error} />`}
    <form onSubmit=${submit}><input type="text" name="username" autocomplete="username" value="token" hidden /><label>Token<input name="token" type="password" autocomplete="current-password" required spellcheck="false" /></label>
      <button type="submit" class="main" disabled=${busy}>${busy ? "Signing in…" : "Sign in"}</button></form>
    <details><summary>Where do I get a token?</summary><p>The first start writes one for administrators to <code>state/admin.token</code>. Others are made by</p>
      <pre>vedette tokens create NAME --role reader --state state</pre></details></section>`;
}
