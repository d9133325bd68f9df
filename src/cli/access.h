/* Where people sign in: shared by `vedette run`, which knows, and `vedette tokens link`, which asks. */
#ifndef CLI_ACCESS_H
#define CLI_ACCESS_H
/* In the state folder: http://HOST:PORT of the control listener, without a line's end. */
#define ACCESS_ADDRESS_FILE "run/control.address"
#endif
