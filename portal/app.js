// The shell: navigation, the page that the address names, theme, shortcuts, and the sign-in page while nobody is signed in.
import { html, render, useEffect, useErrorBoundary, useState } from "./lib/html.js";
import { useRoute, go } from "./lib/router.js";
import { LiveRegion } from "./lib/live.js";
import { HelpOverlay, useKeys } from "./lib/keys.js";
import { Loading, Problem } from "./lib/ui.js";
import { GlassBand } from "./lib/glass.js";
import { Seen } from "./lib/visible.js";
import { session, onSession, signOut, start } from "./api.js";

// One row per page: [first segment of the address, words in the navigation or "" for none, key after g, how its module is loaded].
const pages = [
  ["", "Overview", "o", () => import("./pages/overview.js")],
  ["alerts", "Alerts", "a", () => import("./pages/alerts.js")],
  ["alert", "", "", () => import("./pages/alert.js")],
  ["playground", "Playground", "p", () => import("./pages/playground.js")],
  ["catalogue", "Catalogue", "c", () => import("./pages/catalogue.js")],
  ["sensitive", "Sensitive information", "s", () => import("./pages/sensitive.js")],
  ["data", "Data", "d", () => import("./pages/data.js")],
];

const themes = ["auto", "light", "dark"];
const stored = () => { try { return localStorage.getItem("vedette.theme") || "auto"; } catch { return "auto"; } };

function showTheme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  dispatchEvent(new Event("themechange"));
}

function ThemeButton() {
  const [name, set] = useState(stored);
  const next = () => {
    const to = themes[(themes.indexOf(name) + 1) % themes.length];
    try { localStorage.setItem("vedette.theme", to); } catch { /* private windows may refuse: then it holds for this page */ }
    showTheme(to);
    set(to);
  };
  return html`<button type="button" class="quiet" onClick=${next} aria-label=${"Theme: " + name}>${{ auto: "◐", light: "☀", dark: "☾" }[name]} <span class="wide">${name}</span></button>`;
}

// A fault in a page is told in its place; the navigation stays.
function Guarded({ View, route }) {
  const [error, again] = useErrorBoundary((e) => console.error(e));
  if (error) return html`<h1>This page failed</h1><${Problem} error=${{ message: "The portal could not show this.", advice: "Try again; if it stays, tell who runs vedette what you did and what the browser's console says." }} again=${again} />`;
  return html`<${View} route=${route} />`;
}

// Loads the module of a page once; what it throws while loading is told like any error.
function Page({ route }) {
  const [state, set] = useState({});
  const row = pages.find(([name]) => name === (route.segments[0] || ""));
  const name = row?.[0];
  useEffect(() => {
    let here = true;
    if (row) row[3]().then((m) => here && set({ name, View: m.default }), () => here && set({ name, error: { message: "This page's files could not be loaded.", advice: "Reload the page; if it stays, run ./run again: it builds the portal." } }));
    return () => { here = false; };
  }, [name]);
  useEffect(() => {
    document.title = (row?.[1] || (row ? "Alert" : "Not found")) + " · vedette";
    document.getElementById("main")?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [route.path]);
  if (!row) return html`<h1>Not found</h1><${Problem} error=${{ message: "There is no such page.", advice: "The navigation above lists all of them." }} />`;
  if (state.name !== name) return html`<${Loading} what="the page" />`;
  return state.error ? html`<${Problem} error=${state.error} />` : html`<${Guarded} key=${name} View=${state.View} route=${route} />`;
}

function Navigation({ route }) {
  const here = route.segments[0] === "alert" ? "alerts" : route.segments[0] || "";
  return html`<nav aria-label="Pages">${pages.filter(([, words]) => words).map(([name, words]) => html`<a key=${name} href=${"#/" + name} aria-current=${name === here ? "page" : undefined}>${words}</a>`)}</nav>`;
}

function Shell() {
  const route = useRoute();
  const who = session();
  useKeys(pages.filter(([, , key]) => key).map(([name, words, key]) => ["g " + key, "go to " + words, () => go("#/" + name)]));
  return html`<a class="skip" href="#main" onClick=${(e) => { e.preventDefault(); document.getElementById("main").focus(); }}>Skip to the page</a>
    <header class="top"><a class="brand" href="#/"><img src="icon.svg" alt="" width="20" height="20" />vedette</a><${Navigation} route=${route} />
      <div class="tools">${who.name && html`<span class="dim wide"><${Seen} text=${who.name} limit=${24} />${who.role && " · " + who.role}</span>`}<${ThemeButton} /><button type="button" class="quiet" onClick=${signOut}>Sign out</button></div></header>
    <${GlassBand} /><main id="main" tabindex="-1"><${Page} route=${route} /></main>
    <footer class="dim">Press <kbd>?</kbd> for the keyboard. Times are in your zone; hover for UTC.</footer><${HelpOverlay} /><${LiveRegion} />`;
}

// failed: why the link of the address did not sign in, or null
function App({ failed }) {
  const [, redraw] = useState(0);
  const [SignIn, set] = useState(null);
  const [refused, refuse] = useState(failed);
  useEffect(() => onSession(() => redraw((n) => n + 1)), []);
  useEffect(() => {
    const link = () => location.hash.startsWith("#once=") && start().then(refuse);
    addEventListener("hashchange", link);
    return () => removeEventListener("hashchange", link);
  }, []);
  const inside = session();
  useEffect(() => { if (!inside) import("./pages/signin.js").then((m) => set(() => m.default)); }, [!inside]);
  if (inside) return html`<${Shell} />`;
  return html`<main id="main" tabindex="-1">${SignIn ? html`<${SignIn} failed=${refused} />` : html`<${Loading} />`}</main><div class="corner"><${ThemeButton} /></div>`;
}

showTheme(stored());
const root = document.getElementById("app");
start().then((failed) => {
  root.replaceChildren();
  render(html`<${App} failed=${failed} />`, root);
});
