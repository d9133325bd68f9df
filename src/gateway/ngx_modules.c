/*
 * What nginx looks up in a dynamic module's file; its own build would generate this (auto/module). The order puts the module with the
 * third-party filters: behind the copy filter, which has read files into memory, and before the headers, gzip and chunked filters.
 */
#include "gateway/ngx_gate.h"

__attribute__((visibility("default"))) extern ngx_module_t *ngx_modules[];
__attribute__((visibility("default"))) extern char *ngx_module_names[];
__attribute__((visibility("default"))) extern char *ngx_module_order[];

static char own_name[] = "ngx_http_vedette_module", copy_filter[] = "ngx_http_copy_filter_module";

ngx_module_t *ngx_modules[] = {&ngx_http_vedette_module, NULL};
char *ngx_module_names[] = {own_name, NULL};
char *ngx_module_order[] = {own_name, copy_filter, NULL};
