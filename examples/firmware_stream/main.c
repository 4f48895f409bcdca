/* Hears a clip of any length as it comes and tells its class. No part of it is held but the piece that came
 * last; what the network still needs is in its state. */
#include "board.h"
#include "model.h"

enum { PIECE = 160 }; /* samples at a time, as a driver of a microphone hands them over */

static uint8_t state[MODEL_STATE_BYTES];
static int32_t missing; /* samples until the window is whole */
static int32_t windows;
static int32_t votes[MODEL_CLASSES]; /* outputs of all windows, added up */

static void print_number(int32_t number) {
  char digits[12];
  char* first = digits + sizeof digits - 1;
  *first = '\0';
  do {
    *--first = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  board_print(first);
}

static int8_t quantized(int16_t sample) {
  const float steps = (float)sample * MODEL_GAIN;
  int32_t value = (int32_t)(steps < 0.0f ? steps - 0.5f : steps + 0.5f) + MODEL_ZERO_POINT;
  if (value < INT8_MIN) value = INT8_MIN;
  if (value > INT8_MAX) value = INT8_MAX;
  return (int8_t)value;
}

static void begin_window(void) {
  model_start(state);
  missing = MODEL_SAMPLES;
}

static void end_window(void) {
  int8_t output[MODEL_CLASSES];
  (void)model_result(state, output);
  for (int32_t i = 0; i < MODEL_CLASSES; i++) votes[i] += output[i];
  windows++;
  begin_window();
}

/* A piece may end one window and begin the next. */
static void hear(const int16_t* samples, int32_t count) {
  while (count > 0) {
    int8_t bytes[PIECE];
    const int32_t taken = count < missing ? count : missing;
    for (int32_t i = 0; i < taken; i++) bytes[i] = quantized(samples[i]);
    model_push(state, bytes, taken);
    missing -= taken;
    samples += taken;
    count -= taken;
    if (missing == 0) end_window();
  }
}

/* Silence fills the last window. */
static void hear_silence(void) {
  static const int16_t silence[PIECE];
  while (missing < MODEL_SAMPLES) hear(silence, missing < PIECE ? missing : PIECE);
}

static int32_t most_voted(void) {
  int32_t best = 0;
  for (int32_t i = 1; i < MODEL_CLASSES; i++) {
    if (votes[i] > votes[best]) best = i;
  }
  return best;
}

static void tell(void) {
  board_print("class ");
  print_number(most_voted());
  board_print(" after ");
  print_number(windows);
  board_print(windows == 1 ? " window\n" : " windows\n");
}

int main(void) {
  int16_t piece[PIECE];
  int32_t count;
  if (!board_open_sound()) {
    board_print("no sound: name a file of 16-bit samples behind the program\n");
    return 1;
  }
  begin_window();
  while ((count = board_read_sound(piece, PIECE)) > 0) hear(piece, count);
  hear_silence();
  if (windows == 0) {
    board_print("the sound is empty\n");
    return 1;
  }
  tell();
  return 0;
}
