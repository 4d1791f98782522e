/* measure WINDOW COMMAND...: runs a command and prints what it used. With a
 * WINDOW (milliseconds, else 0) it also finds the quietest such stretch in the
 * command's life, and prints how often it woke up in it and what it held. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EVERY = 50, SAMPLES = 1024 };

struct sample {
  long resident; /* KB */
  long wakings;  /* voluntary context switches so far */
};

static double seconds(struct timeval time) {
  return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double clock_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct sample look(pid_t child) {
  struct sample sample = {0, 0};
  char line[256];
  FILE *file;
  snprintf(line, sizeof line, "/proc/%d/status", (int)child);
  file = fopen(line, "r");
  while (file && fgets(line, sizeof line, file)) {
    sscanf(line, "VmRSS: %ld", &sample.resident);
    sscanf(line, "voluntary_ctxt_switches: %ld", &sample.wakings);
  }
  if (file)
    fclose(file);
  return sample;
}

/* Looks at the child until it ends, and prints its quietest stretch. */
static void watch(pid_t child, int window) {
  struct sample samples[SAMPLES], quietest = {0, -1};
  int length = window / EVERY < SAMPLES ? window / EVERY : SAMPLES - 1;
  siginfo_t ended = {.si_pid = 0};
  for (int i = 0; ended.si_pid == 0; i++) {
    struct sample now = samples[i % SAMPLES] = look(child);
    struct sample before = samples[(i + SAMPLES - length) % SAMPLES];
    long wakings = now.wakings - before.wakings;
    if (i >= length && now.resident > 0 &&
        (quietest.wakings < 0 || wakings < quietest.wakings)) {
      quietest.wakings = wakings;
      quietest.resident = now.resident;
    }
    usleep(EVERY * 1000);
    waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT);
  }
  printf("asleep_kb=%ld wakings=%ld\n", quietest.resident, quietest.wakings);
}

/* A thousand connections are more than some systems allow by default. */
static void allow_files(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int count, char **words) {
  double began = clock_s();
  struct rusage used;
  int status = 0;
  pid_t child;
  if (count < 3)
    return EXIT_FAILURE;
  allow_files();
  child = fork();
  if (child == 0) {
    execvp(words[2], words + 2);
    perror(words[2]);
    _exit(127);
  }
  if (atoi(words[1]) > 0)
    watch(child, atoi(words[1]));
  wait4(child, &status, 0, &used);
  printf("wall=%.6f process_cpu=%.6f system=%.6f peak_kb=%ld\n",
         clock_s() - began, seconds(used.ru_utime) + seconds(used.ru_stime),
         seconds(used.ru_stime), used.ru_maxrss);
  return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}
