/* A bare Cortex-M4: start-up, and semihosting for what has no peripheral here. Made for QEMU's mps2-an386; a
 * board with a debugger that answers semihosting runs it as well. */
#include "board.h"

void reset(void);
int main(void);

/* Placed by linker.ld. */
extern uint32_t stack_top[];
extern uint32_t data_start[];
extern uint32_t data_end[];
extern const uint32_t data_image[];
extern uint32_t bss_start[];
extern uint32_t bss_end[];

enum {
  SYS_OPEN = 0x01,
  SYS_WRITE0 = 0x04,
  SYS_READ = 0x06,
  SYS_GET_CMDLINE = 0x15,
  SYS_EXIT_EXTENDED = 0x20,
  STOPPED_APPLICATION_EXIT = 0x20026,
  OPEN_TO_READ_BYTES = 1, /* as fopen's "rb" */
  PATH_SIZE = 1024
};

static uint32_t sound; /* the handle of the open file */

static uint32_t semihost(uint32_t operation, const void* argument) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

void board_print(const char* text) { (void)semihost(SYS_WRITE0, text); }

/* Behind the first word of the command line, which is the program. */
static char* first_argument(char* line) {
  while (*line != '\0' && *line != ' ') line++;
  while (*line == ' ') line++;
  return line;
}

int board_open_sound(void) {
  static char line[PATH_SIZE];
  const uint32_t command[2] = {(uint32_t)line, PATH_SIZE};
  if (semihost(SYS_GET_CMDLINE, command) != 0u) return 0;
  const char* path = first_argument(line);
  uint32_t length = 0;
  while (path[length] != '\0') length++;
  const uint32_t file[3] = {(uint32_t)path, OPEN_TO_READ_BYTES, length};
  sound = semihost(SYS_OPEN, file);
  return length > 0u && sound != UINT32_MAX;
}

int32_t board_read_sound(int16_t* samples, int32_t count) {
  const uint32_t bytes = (uint32_t)count * sizeof *samples;
  const uint32_t place[3] = {sound, (uint32_t)samples, bytes};
  const uint32_t left = semihost(SYS_READ, place); /* how many bytes were not read */
  return (int32_t)((bytes - left) / sizeof *samples);
}

static void leave(uint32_t status) {
  const uint32_t arguments[2] = {STOPPED_APPLICATION_EXIT, status};
  (void)semihost(SYS_EXIT_EXTENDED, arguments);
  for (;;) {
  }
}

static void fault(void) {
  board_print("processor fault\n");
  leave(2);
}

void reset(void) {
  const uint32_t* from = data_image;
  for (uint32_t* to = data_start; to != data_end; to++) *to = *from++;
  for (uint32_t* to = bss_start; to != bss_end; to++) *to = 0;
  leave((uint32_t)main());
}

/* The first words of memory: the stack, then the handlers of reset, NMI and the faults. */
typedef union {
  uint32_t* stack;
  void (*handler)(void);
} vector;

extern const vector vectors[7];
__attribute__((section(".vectors"), used))
const vector vectors[7] = {{.stack = stack_top}, {.handler = reset}, {.handler = fault}, {.handler = fault},
                           {.handler = fault},   {.handler = fault}, {.handler = fault}};
