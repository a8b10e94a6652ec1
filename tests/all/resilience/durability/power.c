/* A disk that forgets what was not synced: preloaded into a Redis server.
 *
 * What is written to an append-only file stays in this process until the file is synced, or closed.
 * A kill then loses what a cut of the power would lose, and of that as much as can be lost. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { FILES = 1024 };

struct held { int is_held; char *bytes; size_t length, room; };

static struct held files[FILES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static ssize_t (*write_on)(int, const void *, size_t);
static int (*sync_on)(int);
static int (*close_on)(int);
static int (*open_on)(const char *, int, ...);

__attribute__((constructor)) static void find(void) {
  write_on = dlsym(RTLD_NEXT, "write");
  sync_on = dlsym(RTLD_NEXT, "fdatasync");
  close_on = dlsym(RTLD_NEXT, "close");
  open_on = dlsym(RTLD_NEXT, "open");
}

static int is_held(int file) { return file >= 0 && file < FILES && files[file].is_held; }

/* Hands on what is held; the lock is held. */
static void hand_on(int file) {
  struct held *it = &files[file];
  size_t done = 0;
  while (done < it->length) {
    ssize_t count = write_on(file, it->bytes + done, it->length - done);
    if (count <= 0) abort();
    done += (size_t)count;
  }
  it->length = 0;
}

static int opened(int file, const char *path) {
  if (file >= 0 && file < FILES && strstr(path, ".incr.aof")) {
    pthread_mutex_lock(&lock);
    files[file].is_held = 1;
    files[file].length = 0;
    pthread_mutex_unlock(&lock);
  }
  return file;
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opened(open_on(path, flags, mode), path);
}

int open64(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opened(open_on(path, flags, mode), path);
}

ssize_t write(int file, const void *bytes, size_t length) {
  if (!is_held(file)) return write_on(file, bytes, length);
  pthread_mutex_lock(&lock);
  struct held *it = &files[file];
  if (it->length + length > it->room) {
    it->room = (it->length + length) * 2;
    it->bytes = realloc(it->bytes, it->room);
    if (!it->bytes) abort();
  }
  memcpy(it->bytes + it->length, bytes, length);
  it->length += length;
  pthread_mutex_unlock(&lock);
  return (ssize_t)length;
}

static int synced(int file) {
  if (is_held(file)) {
    pthread_mutex_lock(&lock);
    hand_on(file);
    pthread_mutex_unlock(&lock);
  }
  return sync_on(file);
}

int fdatasync(int file) { return synced(file); }
int fsync(int file) { return synced(file); }

int close(int file) {
  if (is_held(file)) {
    pthread_mutex_lock(&lock);
    hand_on(file);
    files[file].is_held = 0;
    pthread_mutex_unlock(&lock);
  }
  return close_on(file);
}
