/* The data-security API's words: which operation, what is read and what is refused, how answers look, which tags match. */
#include "../test.h"
#include "wire/purview.h"

#define CASE(cond, name)                                                                                                         \
  do {                                                                                                                           \
    CASE_BEGIN();                                                                                                                \
    CHECK(cond);                                                                                                                 \
    CASE_END("%s", name);                                                                                                        \
  } while (0)

static struct vdt_arena *arena;
static struct vdt_error err;
static struct purview_content c;
static struct purview_scopes s;
static struct purview_done d;

#define USERS "/v1.0/users/anna/dataSecurityAndGovernance"
#define ME    "/v1.0/me/dataSecurityAndGovernance"

static enum purview_error route(const char *method, const char *path, const char *query, struct purview_call *call)
{
  return purview_route(str_of(method), str_of(path), str_of(query), call);
}

static void routes(void)
{
  struct purview_call call;
  CASE(purview_is_path(STR(USERS "/processContent")) && purview_is_path(STR(ME)) &&
           purview_is_path(STR("/beta/me/datasecurityandgovernance/x")),
       "paths");
  CASE(!purview_is_path(STR("/v1.0/users//dataSecurityAndGovernance")) &&
           !purview_is_path(STR("/v1.0/users/dataSecurityAndGovernance")) &&
           !purview_is_path(STR("/v1.0/you/dataSecurityAndGovernance")) &&
           !purview_is_path(STR("/v1/me/dataSecurityAndGovernance")) && !purview_is_path(STR("/v1.0/me")) &&
           !purview_is_path(STR("")) && !purview_is_path(STR("/")) && !purview_is_path(STR("v1.0/me/dataSecurityAndGovernance")),
       "and what is none");
  CASE(route("POST", USERS "/processContent", "", &call) == PURVIEW_ERRORS && call.operation == PURVIEW_PROCESS &&
           str_eq(call.user, STR("anna")),
       "of a user");
  CASE(route("POST", ME "/protectionScopes/compute", "a=b", &call) == PURVIEW_ERRORS && call.operation == PURVIEW_SCOPES &&
           !call.user.n,
       "of me");
  CASE(route("POST", ME "/activities/contentActivities", "", &call) == PURVIEW_ERRORS && call.operation == PURVIEW_ACTIVITY,
       "activities");
  CASE(route("POST", ME "/processContent", "x=1&vedette-details=true", &call) == PURVIEW_ERRORS && call.details, "details");
  CASE(route("POST", ME "/processContent", "vedette-details=1&xvedette-details=true", &call) == PURVIEW_ERRORS && !call.details,
       "only true is true");
  CASE(route("GET", ME "/processContent", "", &call) == PURVIEW_BAD_METHOD, "GET");
  CASE(route("POST", ME "/processContentAsync", "", &call) == PURVIEW_NOT_FOUND &&
           route("POST", ME, "", &call) == PURVIEW_NOT_FOUND &&
           route("POST", ME "/processContent/", "", &call) == PURVIEW_NOT_FOUND,
       "no operation");
}

/* ---- content ---------------------------------------------------------------------------------------------------- */

static int read(const char *body, size_t max)
{
  vdt_arena_reset(arena);
  err = (struct vdt_error){0};
  return purview_read_content(arena, str_of(body), &JSON_LIMITS_DEFAULT, max, &c, &err);
}

#define TEXT(t)    "{\"content\":{\"@odata.type\":\"microsoft.graph.textContent\",\"data\":\"" t "\"}}"
#define WITH(e, a) "{\"contentToProcess\":{\"contentEntries\":[" e "],\"activityMetadata\":{\"activity\":\"" a "\"}}}"
#define REST(e, m) "{\"contentToProcess\":{\"contentEntries\":[" e "],\"activityMetadata\":{\"activity\":\"uploadText\"}," m "}}"

static void contents(void)
{
  CASE(!read(WITH(TEXT("a\\u00e9"), "uploadText"), 9) && c.n_entries == 1 && c.activity == PURVIEW_UPLOAD_TEXT &&
           str_eq(c.entries[0].text, STR("a\xC3\xA9")),
       "a text, its escapes taken off");
  CASE(!read(WITH(TEXT("") "," TEXT("b"), "DOWNLOADFILE"), 9) && c.n_entries == 2 && c.activity == PURVIEW_DOWNLOAD_FILE &&
           !c.entries[0].text.n,
       "an empty text; activities in any case");
  CASE(!read(WITH("{\"isTruncated\":true,\"content\":{\"@odata.type\":\"#microsoft.graph.binaryContent\",\"data\":\"AAAA\"}}",
                  "uploadFile"),
             9) &&
           c.entries[0].binary && c.entries[0].truncated,
       "bytes, truncated");
  CASE(!read(REST(TEXT("x"), "\"deviceMetadata\":{\"ipAddress\":\"192.0.2.7\"},\"protectedAppMetadata\":{\"name\":\"P\","
                             "\"applicationLocation\":{\"value\":\"id-1\"}},\"integratedAppMetadata\":{\"name\":\"I\"}"),
             9) &&
           str_eq(c.address, STR("192.0.2.7")) && str_eq(c.application, STR("P")) && str_eq(c.location, STR("id-1")),
       "who and where");
  CASE(!read(REST(TEXT("x"), "\"integratedAppMetadata\":{\"name\":\"I\"},\"deviceMetadata\":null"), 9) &&
           str_eq(c.application, STR("I")) && !c.location.n,
       "the integrated application where no other is named; null is absent");
  CASE(!read(WITH("{\"accessedResources\":[{\"labelId\":\"l-1\"},{\"sensitivityLabelId\":\"l-2\"},{}],\"content\":{\"@odata."
                  "type\":\"microsoft.graph.textContent\",\"data\":\"x\"}}",
                  "uploadText"),
             9) &&
           c.n_labels == 2 && str_eq(c.labels[1], STR("l-2")),
       "labels of resources");
  CASE(!read(WITH(TEXT("a") "," TEXT("b"), "uploadText"), 2) &&
           read(WITH(TEXT("a") "," TEXT("b"), "uploadText"), 1) == VDT_ETOOBIG,
       "as many entries as the limit, and one more");
}

static const struct {
  const char *name, *body, *says;
} wrong[] = {
    {"nothing", "{}", "contentToProcess"},
    {"a list", "[]", "object"},
    {"content that is none", "{\"contentToProcess\":7}", "contentToProcess"},
    {"no entries", WITH("", "uploadText"), "at least one"},
    {"an entry without content", WITH("{}", "uploadText"), "no content"},
    {"an entry that is none", WITH("7", "uploadText"), "objects"},
    {"no type", WITH("{\"content\":{\"data\":\"x\"}}", "uploadText"), "@odata.type"},
    {"another type", WITH("{\"content\":{\"@odata.type\":\"microsoft.graph.textContents\",\"data\":\"x\"}}", "uploadText"),
     "@odata.type"},
    {"no data", WITH("{\"content\":{\"@odata.type\":\"microsoft.graph.textContent\"}}", "uploadText"), "data"},
    {"data that is no text", WITH("{\"content\":{\"@odata.type\":\"microsoft.graph.textContent\",\"data\":7}}", "uploadText"),
     "data"},
    {"another activity", WITH(TEXT("x"), "uploadTexts"), "activity"},
    {"no activity", "{\"contentToProcess\":{\"contentEntries\":[" TEXT("x") "]}}", "activity"},
    {"an address that is none", REST(TEXT("x"), "\"deviceMetadata\":{\"ipAddress\":7}"), "ipAddress"},
    {"an application that is none", REST(TEXT("x"), "\"protectedAppMetadata\":\"P\""), "protectedAppMetadata"},
};

static void refusals(void)
{
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    CASE_BEGIN();
    CHECK(read(wrong[i].body, 9) == VDT_EINVAL && strstr(err.text, wrong[i].says));
    CASE_END("refused: %s", wrong[i].name);
  }
  CASE(read(WITH(TEXT("x"), "uploadText") "x", 9) == VDT_ESYNTAX && read("{\"a\":1,\"a\":2}", 9) == VDT_EDUPKEY,
       "refused: what is not JSON, or can be read in two ways");
}

/* ---- scopes ----------------------------------------------------------------------------------------------------- */

static int scopes(const char *body)
{
  vdt_arena_reset(arena);
  err = (struct vdt_error){0};
  return purview_read_scopes(arena, str_of(body), &JSON_LIMITS_DEFAULT, &s, &err);
}

static void scope_questions(void)
{
  struct buf b = {0};
  CASE(!scopes("{\"activities\":\"uploadText, "
               "DownloadText,unknownFutureValue\",\"locations\":[{\"@odata.type\":\"microsoft.graph.policyLocationDomain\","
               "\"value\":\"x.example\"}]}") &&
           s.wanted[PURVIEW_UPLOAD_TEXT] && s.wanted[PURVIEW_DOWNLOAD_TEXT] && !s.wanted[PURVIEW_UPLOAD_FILE] &&
           s.n_locations == 1 && str_eq(s.locations[0].value, STR("x.example")),
       "activities and a location");
  CASE(!scopes("") && s.wanted[PURVIEW_DOWNLOAD_FILE] && !s.n_locations, "nothing said is everything");
  buf_put(&b, STR("{\"locations\":["));
  for (int i = 0; i < PURVIEW_LOCATIONS; i++) buf_printf(&b, "%s{\"value\":\"%d\"}", i ? "," : "", i);
  size_t n = b.n;
  buf_put(&b, STR("]}"));
  buf_byte(&b, 0);
  CASE(!scopes(b.p) && s.n_locations == PURVIEW_LOCATIONS, "as many locations as the limit");
  b.n = n;
  buf_put(&b, STR(",{\"value\":\"x\"}]}"));
  buf_byte(&b, 0);
  CASE(scopes(b.p) == VDT_EINVAL, "one more");
  CASE(scopes("{\"locations\":{}}") == VDT_EINVAL && scopes("{\"activities\":[]}") == VDT_EINVAL &&
           scopes("{\"locations\":[1]}") == VDT_EINVAL,
       "wrong types");
  buf_reset(&b);
  const struct purview_location l = {{0}, STR("a\"b")};
  const enum purview_mode modes[] = {PURVIEW_INLINE, PURVIEW_INLINE, PURVIEW_OFFLINE, PURVIEW_IGNORE},
                          none[PURVIEW_ACTIVITIES] = {0};
  CASE(purview_write_scope(&l, modes, true, &b) &&
           str_eq(buf_str(&b),
                  STR("{\"activities\":\"uploadText,uploadFile\",\"executionMode\":\"evaluateInline\",\"locations\":[{\"@odata."
                      "type\":\"#microsoft.graph.policyLocationApplication\",\"value\":\"a\\\"b\"}],\"policyActions\":[]},"
                      "{\"activities\":\"downloadText\",\"executionMode\":\"evaluateOffline\",\"locations\":[{\"@odata.type\":\"#"
                      "microsoft.graph.policyLocationApplication\",\"value\":\"a\\\"b\"}],\"policyActions\":[]}")),
       "scopes are written");
  CASE(!purview_write_scope(&l, none, true, &b), "none, where nothing is looked for");
  buf_finish(&b);
}

/* ---- what was done, tags, errors -------------------------------------------------------------------------------- */

static void done(void)
{
  struct buf b = {0};
  vdt_arena_reset(arena);
  const char *body = "{\"scopeIdentifier\":\"s\",\"contentMetadata\":{\"contentEntries\":[{\"name\":\"n\",\"content\":{\"data\":"
                     "\"SECRET\"},\"length\":1.50}],\"integratedAppMetadata\":{\"name\":\"I\"},\"content\":\"SECRET\"}}";
  CASE(!purview_read_done(arena, str_of(body), &JSON_LIMITS_DEFAULT, &d, &err) && d.n_entries == 1 &&
           str_eq(d.application, STR("I")),
       "an activity is read");
  purview_write_done(&d, STR("the-id"), STR("anna"), &b);
  CASE(str_eq(buf_str(&b),
              STR("{\"id\":\"the-id\",\"userId\":\"anna\",\"scopeIdentifier\":\"s\",\"contentMetadata\":{\"contentEntries\":[{"
                  "\"name\":\"n\",\"length\":1.50}],\"integratedAppMetadata\":{\"name\":\"I\"}}}")),
       "... and given back as it came, without content");
  CASE(purview_read_done(arena, STR("{}"), &JSON_LIMITS_DEFAULT, &d, &err) == VDT_EINVAL &&
           purview_read_done(arena, STR("{\"contentMetadata\":[]}"), &JSON_LIMITS_DEFAULT, &d, &err) == VDT_EINVAL,
       "... or refused");
  buf_reset(&b);
  purview_write_actions(true, true, &b);
  CASE(str_eq(
           buf_str(&b),
           STR("{\"protectionScopeState\":\"modified\",\"policyActions\":[{\"@odata.type\":\"#microsoft.graph."
               "restrictAccessAction\",\"action\":\"restrictAccess\",\"restrictionAction\":\"block\"}],\"processingErrors\":[")),
       "the decision");
  buf_finish(&b);
}

static void tags(void)
{
  struct str tag = STR("\"ab\"");
  CASE(purview_matches(STR("\"ab\""), tag) && purview_matches(STR(" W/\"ab\" "), tag) &&
           purview_matches(STR("\"x\", \"ab\""), tag) && purview_matches(STR("*"), tag),
       "tags that match");
  CASE(!purview_matches(STR("\"abc\""), tag) && !purview_matches(STR("ab"), tag) && !purview_matches(STR(""), tag) &&
           !purview_matches(STR(",,"), tag),
       "tags that do not");
  CASE(purview_error_status(purview_error_of(VDT_ETOOBIG)) == 413 && purview_error_status(purview_error_of(VDT_ESYNTAX)) == 400 &&
           purview_error_status(purview_error_of(VDT_ENOMEM)) == 503,
       "errors have their status");
}

int main(void)
{
  arena = vdt_arena_new(0);
  routes();
  contents();
  refusals();
  scope_questions();
  done();
  tags();
  vdt_arena_free(arena);
  return test_end();
}
