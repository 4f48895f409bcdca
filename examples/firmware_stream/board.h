/* What the firmware asks of the board. */
#pragma once

#include <stdint.h>

void board_print(const char* text);

/* The microphone's place is taken by a file of the computer that runs the emulator: 16-bit samples of one
 * channel, the lower byte first. Returns 0 if it cannot be opened. */
int board_open_sound(void);

/* Waits for at most `count` samples and returns how many there were; 0 at the end. */
int32_t board_read_sound(int16_t* samples, int32_t count);
