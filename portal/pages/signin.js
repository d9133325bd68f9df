// Sign-in with a token. A one-time link signs in by itself (api.js); when it does not work, this page says why.
import { html, useEffect, useState } from "../lib/html.js";
import { Problem } from "../lib/ui.js";
import { signIn } from "../api.js";

const spent = { message: "This link does not work any more.", advice: "A link signs in once, within fifteen minutes. Make a new one with vedette tokens link, or sign in with a token." };

export default function SignIn({ failed }) {
  const [error, fail] = useState(null);
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
    <form onSubmit=${submit}><input type="text" name="username" autocomplete="username" value="token" hidden /><label>Token<input name="token" type="password" autocomplete="current-password" required spellcheck="false" /></label>
      <button type="submit" class="main" disabled=${busy}>${busy ? "Signing in…" : "Sign in"}</button></form>
    <details><summary>Where do I get a token?</summary><p>The first start writes one for administrators to <code>state/admin.token</code>. Others are made by</p>
      <pre>vedette tokens create NAME --role reader --state state</pre>
      <p>A link that signs in once, without typing a token:</p><pre>vedette tokens link --state state</pre></details></section>`;
}
