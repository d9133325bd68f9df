/*
 * Executes the instructions of AMX where the processor has none: the signal that they raise is taken, the instruction read, done in plain C and
 * stepped over. So what a compiler makes of encoder_run.c is tested on every processor, and reads and writes of tiles are seen by sanitizers.
 * Source: Intel SDM, volume 2 (LDTILECFG, TILERELEASE, TILEZERO, TILELOADD, TILESTORED, TDPBUSD), volume 2A 2.3 (VEX).
 */
#ifndef TESTS_MODEL_TILES_H
#define TESTS_MODEL_TILES_H
#include "model/encoder_scratch.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ucontext.h>
#include <unistd.h>

/* encoder_run.c with AMX and no other instruction set than every x86-64 has. */
encoder_product encoder_product_tiles;
encoder_run encoder_run_tiles;

enum { TILES = 8, TILE_ROWS = 16, TILE_ROW = 64 };
static struct {
  size_t rows, bytes; /* of each row */
  uint8_t row[TILE_ROWS][TILE_ROW];
} tile[TILES];
static size_t tile_instructions;

static void refuse(const char *why)
{
  fprintf(stderr, "an instruction of AMX that a processor would refuse: %s\n", why);
  _exit(1);
}

static size_t register_of(const ucontext_t *c, unsigned number)
{
  static const int order[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  return (size_t)c->uc_mcontext.gregs[order[number]];
}

/* An instruction after its opcode: registers, or an address and what is between rows. */
struct operands {
  unsigned reg, rm, second;
  size_t address, stride, length;
  bool memory;
};

static struct operands operands_of(const ucontext_t *c, const uint8_t *vex)
{
  const uint8_t *p = vex + 4;
  unsigned mod = *p >> 6, base_bit = vex[1] & 0x20 ? 0 : 8, index_bit = vex[1] & 0x40 ? 0 : 8;
  struct operands o = {.reg = *p >> 3 & 7, .rm = *p & 7, .second = ~vex[2] >> 3 & 15, .memory = mod != 3};
  p++;
  if (o.memory) {
    unsigned base = o.rm + base_bit;
    if (o.rm == 4) {
      unsigned index = (*p >> 3 & 7) + index_bit;
      o.stride = index == 4 ? 0 : register_of(c, index) << (*p >> 6);
      base = (*p & 7) + base_bit;
      p++;
    }
    if (mod == 0 && base % 8 == 5) refuse("a form of address that this test does not know");
    int8_t near;
    int32_t far;
    memcpy(&near, p, sizeof near);
    memcpy(&far, p, sizeof far);
    p += mod == 1 ? sizeof near : mod == 2 ? sizeof far : 0;
    o.address = register_of(c, base) + (size_t)(mod == 1 ? near : mod == 2 ? far : 0);
  }
  o.length = (size_t)(p - vex);
  return o;
}

static void configure(const uint8_t *from)
{
  if (from[0] != 1) refuse("a palette other than the first");
  for (size_t i = 1; i < 64; i++)
    if ((i < 16 || (i >= 32 && i < 48) || i >= 56) && from[i]) refuse("a reserved byte");
  for (size_t i = 0; i < TILES; i++) {
    tile[i].bytes = (size_t)(from[16 + 2 * i] | from[17 + 2 * i] << 8);
    tile[i].rows = from[48 + i];
    memset(tile[i].row, 0, sizeof tile[i].row);
    if (!tile[i].bytes != !tile[i].rows || tile[i].rows > TILE_ROWS || tile[i].bytes > TILE_ROW) refuse("a tile's shape");
  }
}

static void multiply_tiles(unsigned to, unsigned left, unsigned right)
{
  if (tile[left].bytes % 4 || tile[left].bytes / 4 != tile[right].rows || tile[to].rows != tile[left].rows ||
      tile[to].bytes != tile[right].bytes || tile[to].bytes % 4)
    refuse("shapes that do not fit each other");
  for (size_t r = 0; r < tile[to].rows; r++)
    for (size_t c = 0; c < tile[to].bytes / 4; c++) {
      int32_t sum;
      memcpy(&sum, &tile[to].row[r][4 * c], sizeof sum);
      for (size_t k = 0; k < tile[left].bytes; k++) sum += tile[left].row[r][k] * (int8_t)tile[right].row[k / 4][4 * c + k % 4];
      memcpy(&tile[to].row[r][4 * c], &sum, sizeof sum);
    }
}

enum { VEX_OF_THREE = 0xC4, MAP_0F38 = 2 };

/* One instruction; false: it is none of AMX. */
static bool execute_one(ucontext_t *c)
{
  enum { NONE, X66, XF3, XF2, CONFIGURE = 0x49, MOVE = 0x4B, PRODUCT = 0x5E };
  const uint8_t *vex = (const uint8_t *)c->uc_mcontext.gregs[REG_RIP];
  if (vex[0] != VEX_OF_THREE || (vex[1] & 31) != MAP_0F38 || vex[2] & 0x84) return false;
  unsigned what = vex[3], prefix = vex[2] & 3;
  if (what != CONFIGURE && what != MOVE && what != PRODUCT) return false;
  struct operands o = operands_of(c, vex);
  if ((what != CONFIGURE || prefix != NONE) && !tile[o.reg].rows) refuse("a tile without a shape");
  if (what == CONFIGURE && prefix == NONE && o.memory) configure((const uint8_t *)o.address);
  else if (what == CONFIGURE && prefix == NONE) memset(tile, 0, sizeof tile);
  else if (what == CONFIGURE && prefix == XF2 && !o.memory) memset(tile[o.reg].row, 0, sizeof tile[o.reg].row);
  else if (what == MOVE && prefix == XF2 && o.memory)
    for (size_t r = 0; r < tile[o.reg].rows; r++)
      memcpy(tile[o.reg].row[r], (const uint8_t *)o.address + r * o.stride, tile[o.reg].bytes);
  else if (what == MOVE && prefix == XF3 && o.memory)
    for (size_t r = 0; r < tile[o.reg].rows; r++)
      memcpy((uint8_t *)o.address + r * o.stride, tile[o.reg].row[r], tile[o.reg].bytes);
  else if (what == PRODUCT && prefix == X66 && !o.memory) multiply_tiles(o.reg, o.rm, o.second);
  else refuse("one that this test does not know");
  tile_instructions++;
  c->uc_mcontext.gregs[REG_RIP] += (greg_t)o.length;
  return true;
}

/* Those that follow each other are done at once: a signal takes longer than they do. */
static void execute(int sig, siginfo_t *info, void *context)
{
  (void)sig;
  (void)info;
  if (!execute_one(context)) refuse("none of AMX");
  while (execute_one(context)) continue;
}

/* From here on. A processor that has AMX, in a process that may use it, executes them by itself. */
static void tiles_execute(void)
{
  struct sigaction take = {.sa_sigaction = execute, .sa_flags = SA_SIGINFO};
  if (sigaction(SIGILL, &take, NULL)) abort();
}
#endif
