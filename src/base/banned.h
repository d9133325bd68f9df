/* Functions that cannot be used safely in the data path: using one is a compile error. Included by base/str.h. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* Fortified headers define some of them as macros. */
#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef strtok
#undef gets
#undef atoi
#undef atol
#undef system
#undef popen
#undef strncpy
#undef strncat
#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets atoi atol system popen strncpy strncat
#endif
