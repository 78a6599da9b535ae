/* The yardstick: compares every vector with a question, one thread, and keeps the best ten.
   scan MATRIX QUESTIONS DIMENSIONS: both files hold single floats, vectors one after the other. For each number of a
   question on stdin it answers "MILLISECONDS ROW ROW ..." on a line. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { best = 10, lanes = 64 };

static float *read_all(const char *path, long *count) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) exit(66);
  fseek(file, 0, SEEK_END);
  *count = ftell(file) / (long)sizeof(float);
  rewind(file);
  float *values = malloc(*count * sizeof(float));
  if (values == NULL || fread(values, sizeof(float), *count, file) != (size_t)*count) exit(74);
  fclose(file);
  return values;
}

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* Sums side by side, which the compiler turns into the widest instructions there are. */
static float dot(const float *a, const float *b, int dimensions) {
  float sums[lanes] = {0}, sum = 0;
  for (int i = 0; i < dimensions; i += lanes)
    for (int lane = 0; lane < lanes; lane++) sums[lane] += a[i + lane] * b[i + lane];
  for (int lane = 0; lane < lanes; lane++) sum += sums[lane];
  return sum;
}

int main(int argc, char **argv) {
  if (argc != 4) return 64;
  long values, asked;
  const float *matrix = read_all(argv[1], &values), *questions = read_all(argv[2], &asked);
  const int dimensions = atoi(argv[3]);
  if (dimensions % lanes != 0) return 64;
  const long rows = values / dimensions;
  long question;
  while (scanf("%ld", &question) == 1) {
    const double started = now_ms();
    float scores[best];
    long found[best];
    for (int i = 0; i < best; i++) scores[i] = -1e30f, found[i] = -1;
    for (long row = 0; row < rows; row++) {
      const float score = dot(matrix + row * dimensions, questions + question * dimensions, dimensions);
      if (score <= scores[best - 1]) continue;
      int at = best - 1;
      for (; at > 0 && scores[at - 1] < score; at--) scores[at] = scores[at - 1], found[at] = found[at - 1];
      scores[at] = score, found[at] = row;
    }
    printf("%.4f", now_ms() - started);
    for (int i = 0; i < best; i++) printf(" %ld", found[i]);
    printf("\n");
    fflush(stdout);
  }
  return 0;
}
