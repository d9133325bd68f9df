/* vedette model-sim: runs the simulated model until it is told to stop. */
#include "cli/cli.h"
#include "sim/sim.h"
#include <pthread.h>
#include <signal.h>

int cmd_model_sim(int argc, char **argv)
{
  struct sim_options options = {.listen = "127.0.0.1:8089"};
  const struct cli_option known[] = {{"listen", CLI_TEXT, &options.listen}, {"echo-requests", CLI_TEXT, &options.echo_requests}};
  int n = cli_options(argc, argv, known, sizeof known / sizeof *known);
  if (n < 0) return CLI_USAGE;
  if (n > 0) return cli_usage("model-sim", "takes no arguments, only options");

  /* Blocked before the server's threads exist, so that they inherit it and only sigwait sees the signals. */
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);

  struct sim *sim = NULL;
  struct vdt_error err = {0};
  if (sim_start(&options, &sim, &err)) {
    fprintf(stderr, "vedette model-sim: %s%s%s\n", err.file, err.file[0] ? ": " : "", err.text);
    return err.code == VDT_EINVAL ? CLI_USAGE : 1;
  }
  printf("model-sim: listening on %s\n", sim_address(sim));
  fflush(stdout);
  int which;
  sigwait(&set, &which);
  sim_stop(sim);
  return 0;
}
