// Only in builds with -fsanitize=thread: C11 threads, as librdkafka uses them, on top of pthreads.
//
// ThreadSanitizer intercepts pthread_create but not thrd_create, and dies in the first intercepted call of a thread it
// does not know. Defined in the executable, these take the place of glibc's. They also show the sanitizer
// librdkafka's locks, so that what we hand from thread to thread through a queue of librdkafka's is ordered for it.
// glibc's C11 types are its pthread types under other names (threads.h, and the sizes checked below).
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "a mtx_t holds a pthread_mutex_t");
_Static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "a cnd_t holds a pthread_cond_t");
_Static_assert(sizeof(thrd_t) == sizeof(pthread_t), "a thrd_t is a pthread_t");

typedef struct {
  thrd_start_t function;
  void *argument;
} start;

static void *run(void *raw) {
  start begin = *(start *)raw;
  free(raw);
  return (void *)(intptr_t)begin.function(begin.argument);
}

static int result(int code) {
  switch (code) {
  case 0: return thrd_success;
  case ENOMEM: return thrd_nomem;
  case ETIMEDOUT: return thrd_timedout;
  case EBUSY: return thrd_busy;
  default: return thrd_error;
  }
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument) {
  start *begin = malloc(sizeof *begin);
  if (!begin) return thrd_nomem;
  *begin = (start){function, argument};
  int code = pthread_create((pthread_t *)thread, NULL, run, begin);
  if (code != 0) free(begin);
  return result(code);
}

int thrd_join(thrd_t thread, int *answer) {
  void *raw = NULL;
  int code = pthread_join((pthread_t)thread, &raw);
  if (code == 0 && answer) *answer = (int)(intptr_t)raw;
  return result(code);
}

int mtx_init(mtx_t *mutex, int kind) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, kind & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
  int code = pthread_mutex_init((pthread_mutex_t *)mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
  return result(code);
}

int mtx_lock(mtx_t *mutex) { return result(pthread_mutex_lock((pthread_mutex_t *)mutex)); }

int mtx_unlock(mtx_t *mutex) { return result(pthread_mutex_unlock((pthread_mutex_t *)mutex)); }

void mtx_destroy(mtx_t *mutex) { pthread_mutex_destroy((pthread_mutex_t *)mutex); }

int cnd_init(cnd_t *condition) { return result(pthread_cond_init((pthread_cond_t *)condition, NULL)); }

int cnd_signal(cnd_t *condition) { return result(pthread_cond_signal((pthread_cond_t *)condition)); }

int cnd_broadcast(cnd_t *condition) { return result(pthread_cond_broadcast((pthread_cond_t *)condition)); }

int cnd_wait(cnd_t *condition, mtx_t *mutex) {
  return result(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
  return result(pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}

void cnd_destroy(cnd_t *condition) { pthread_cond_destroy((pthread_cond_t *)condition); }

void call_once(once_flag *flag, void (*function)(void)) { pthread_once((pthread_once_t *)flag, function); }
#endif
#endif
