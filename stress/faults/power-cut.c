/*
 * Preloaded into the broker: keeps, beside each LMDB data file, a shadow of what a loss of power would leave of it.
 *
 *   gcc -shared -fPIC -O2 -o power-cut.so power-cut.c -ldl -pthread
 *   POWER_CUT_FOLDER=/where/shadows/go LD_PRELOAD=./power-cut.so node ...
 *
 * A file whose path ends in "data.mdb" has the shadow "<device>-<inode>.shadow" in that folder. A write through a
 * descriptor that was opened with O_DSYNC or O_SYNC reaches the shadow when it returns; any other write marks its blocks
 * as pending, and these reach the shadow when the next fsync, fdatasync or msync of that file has returned. To cut the
 * power: kill the process with SIGKILL and put the shadow in the place of the file.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define BLOCK 4096
#define DESCRIPTORS 65536
#define FILES 64

/* One inode, however many descriptors it has. `read` and `shadow` are our own descriptors. */
struct file {
  dev_t device;
  ino_t inode;
  int users, read, shadow, resized;
  uint8_t *pending; /* one byte a block */
  size_t blocks;
};

static struct file files[FILES];
static struct file *file_of[DESCRIPTORS];
static uint8_t is_synchronous[DESCRIPTORS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(result, name, ...) \
  static result (*real)(__VA_ARGS__); \
  if (!real) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static int real_open(const char *path, int flags, mode_t mode) {
  REAL(int, "open64", const char *, int, ...);
  return real(path, flags, mode);
}

static int real_close(int fd) {
  REAL(int, "close", int);
  return real(fd);
}

static ssize_t real_pwrite(int fd, const void *bytes, size_t length, off64_t offset) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
  return real(fd, bytes, length, offset);
}

/* A shadow that cannot be kept would make the test lie: better to end at once. */
static void give_up(const char *what) {
  fprintf(stderr, "power-cut: %s: %s\n", what, strerror(errno));
  abort();
}

static void mark(struct file *file, off64_t offset, size_t length) {
  if (length == 0) return;
  size_t last = (offset + length - 1) / BLOCK;
  if (last >= file->blocks) {
    size_t blocks = (last + 1) * 2;
    file->pending = realloc(file->pending, blocks);
    if (!file->pending) give_up("memory");
    memset(file->pending + file->blocks, 0, blocks - file->blocks);
    file->blocks = blocks;
  }
  for (size_t block = offset / BLOCK; block <= last; block++) file->pending[block] = 1;
}

static void copy_block(struct file *file, size_t block) {
  char bytes[BLOCK];
  ssize_t length = pread64(file->read, bytes, BLOCK, (off64_t)block * BLOCK);
  if (length < 0) give_up("read");
  if (length > 0 && real_pwrite(file->shadow, bytes, length, (off64_t)block * BLOCK) != length) give_up("shadow");
}

static size_t block_count(off64_t bytes) { return (bytes + BLOCK - 1) / BLOCK; }

/* Blocks in which file and shadow differ: what an earlier process wrote and never synced, or what went through a map. */
static void mark_differences(struct file *file) {
  struct stat64 data, shadow;
  if (fstat64(file->read, &data) || fstat64(file->shadow, &shadow)) give_up("stat");
  for (size_t block = 0; block < block_count(data.st_size); block++) {
    char left[BLOCK] = {0}, right[BLOCK] = {0};
    ssize_t have = pread64(file->read, left, BLOCK, (off64_t)block * BLOCK);
    ssize_t kept = pread64(file->shadow, right, BLOCK, (off64_t)block * BLOCK);
    if (have != kept || memcmp(left, right, BLOCK)) mark(file, (off64_t)block * BLOCK, BLOCK);
  }
  if (shadow.st_size > data.st_size) file->resized = 1;
}

static void open_shadow(struct file *file, const char *path) {
  char name[4096];
  struct stat64 data;
  unsigned long long device = file->device, inode = file->inode;
  snprintf(name, sizeof name, "%s/%llu-%llu.shadow", getenv("POWER_CUT_FOLDER"), device, inode);
  file->read = real_open(path, O_RDONLY | O_CLOEXEC, 0);
  int isNew = access(name, F_OK) != 0;
  file->shadow = real_open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file->read < 0 || file->shadow < 0 || fstat64(file->read, &data)) give_up(name);
  file->resized = 0;
  if (data.st_size == 0 && ftruncate64(file->shadow, 0)) give_up(name);
  /* What stood in the file before we looked is taken for synced; a known shadow tells better. */
  for (size_t block = 0; isNew && block < block_count(data.st_size); block++) copy_block(file, block);
  if (!isNew) mark_differences(file);
}

static int ends_in_data(const char *path) {
  size_t length = strlen(path);
  return length >= 8 && strcmp(path + length - 8, "data.mdb") == 0;
}

static void opened(int fd, const char *path, int flags) {
  struct stat64 info;
  if (fd < 0 || fd >= DESCRIPTORS || (flags & O_ACCMODE) == O_RDONLY || !ends_in_data(path)) return;
  if (!getenv("POWER_CUT_FOLDER") || fstat64(fd, &info) || !S_ISREG(info.st_mode)) return;
  int saved = errno;
  pthread_mutex_lock(&lock);
  struct file *found = NULL, *unused = NULL;
  for (int index = 0; index < FILES; index++) {
    struct file *file = &files[index];
    if (file->users == 0) unused = unused ? unused : file;
    else if (file->device == info.st_dev && file->inode == info.st_ino) found = file;
  }
  if (!found) {
    if (!unused) give_up("more data files than we can watch");
    found = unused;
    found->device = info.st_dev;
    found->inode = info.st_ino;
    if (found->pending) memset(found->pending, 0, found->blocks);
    open_shadow(found, path);
  }
  found->users++;
  file_of[fd] = found;
  is_synchronous[fd] = (flags & (O_DSYNC | O_SYNC)) != 0;
  pthread_mutex_unlock(&lock);
  errno = saved;
}

static struct file *watched(int fd) { return fd >= 0 && fd < DESCRIPTORS ? file_of[fd] : NULL; }

/* Called with the lock held, after the bytes are in the file. */
static void written(int fd, off64_t offset, ssize_t length) {
  struct file *file = watched(fd);
  int saved = errno;
  if (length > 0 && is_synchronous[fd]) {
    char *bytes = malloc(length);
    if (!bytes || pread64(file->read, bytes, length, offset) != length) give_up("read back");
    if (real_pwrite(file->shadow, bytes, length, offset) != length) give_up("shadow");
    free(bytes);
  } else if (length > 0) {
    mark(file, offset, length);
  }
  errno = saved;
}

/* Called with the lock held, after the sync has returned: only then could the caller rely on it. */
static void synced(struct file *file) {
  struct stat64 data;
  int saved = errno;
  for (size_t block = 0; block < file->blocks; block++) {
    if (!file->pending[block]) continue;
    copy_block(file, block);
    file->pending[block] = 0;
  }
  if (file->resized && (fstat64(file->read, &data) || ftruncate64(file->shadow, data.st_size))) give_up("truncate");
  file->resized = 0;
  errno = saved;
}

#define OPEN(name, real_name) \
  int name(const char *path, int flags, ...) { \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    REAL(int, real_name, const char *, int, ...); \
    int fd = real(path, flags, mode); \
    opened(fd, path, flags); \
    return fd; \
  }
OPEN(open, "open")
OPEN(open64, "open64")

#define OPENAT(name, real_name) \
  int name(int folder, const char *path, int flags, ...) { \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    REAL(int, real_name, int, const char *, int, ...); \
    int fd = real(folder, path, flags, mode); \
    opened(fd, path, flags); \
    return fd; \
  }
OPENAT(openat, "openat")
OPENAT(openat64, "openat64")

int close(int fd) {
  struct file *file = watched(fd);
  if (file) {
    pthread_mutex_lock(&lock);
    file_of[fd] = NULL;
    if (--file->users == 0) {
      real_close(file->read);
      real_close(file->shadow);
    }
    pthread_mutex_unlock(&lock);
  }
  return real_close(fd);
}

/* Runs a write and notes it; the lock makes write and note one step for a sync in another thread. */
#define WATCH_WRITE(call, at) \
  struct file *file = watched(fd); \
  if (!file) return call; \
  pthread_mutex_lock(&lock); \
  off64_t start = at; \
  ssize_t length = call; \
  written(fd, start, length); \
  pthread_mutex_unlock(&lock); \
  return length

#define PWRITE(name) \
  ssize_t name(int fd, const void *bytes, size_t size, off64_t offset) { \
    REAL(ssize_t, #name, int, const void *, size_t, off64_t); \
    WATCH_WRITE(real(fd, bytes, size, offset), offset); \
  }
PWRITE(pwrite)
PWRITE(pwrite64)

#define PWRITEV(name) \
  ssize_t name(int fd, const struct iovec *parts, int count, off64_t offset) { \
    REAL(ssize_t, #name, int, const struct iovec *, int, off64_t); \
    WATCH_WRITE(real(fd, parts, count, offset), offset); \
  }
PWRITEV(pwritev)
PWRITEV(pwritev64)

ssize_t write(int fd, const void *bytes, size_t size) {
  REAL(ssize_t, "write", int, const void *, size_t);
  WATCH_WRITE(real(fd, bytes, size), lseek64(fd, 0, SEEK_CUR));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  WATCH_WRITE(real(fd, parts, count), lseek64(fd, 0, SEEK_CUR));
}

#define RESIZE(name) \
  int name(int fd, off64_t length) { \
    REAL(int, #name, int, off64_t); \
    struct file *file = watched(fd); \
    if (!file) return real(fd, length); \
    pthread_mutex_lock(&lock); \
    int result = real(fd, length); \
    file->resized = 1; \
    pthread_mutex_unlock(&lock); \
    return result; \
  }
RESIZE(ftruncate)
RESIZE(ftruncate64)

/* A slow disk: waits while there is a file "pause" in the folder, at most five seconds. */
static void pause_while_asked(void) {
  char name[4096];
  snprintf(name, sizeof name, "%s/pause", getenv("POWER_CUT_FOLDER"));
  for (int tries = 0; tries < 5000 && access(name, F_OK) == 0; tries++) usleep(1000);
}

#define SYNC(name) \
  int name(int fd) { \
    REAL(int, #name, int); \
    struct file *file = watched(fd); \
    if (!file) return real(fd); \
    pause_while_asked(); \
    pthread_mutex_lock(&lock); \
    int result = real(fd); \
    if (result == 0) synced(file); \
    pthread_mutex_unlock(&lock); \
    return result; \
  }
SYNC(fsync)
SYNC(fdatasync)

/* Which file a map belongs to is not known here, so all that differ are brought up to date. */
int msync(void *address, size_t length, int flags) {
  REAL(int, "msync", void *, size_t, int);
  pthread_mutex_lock(&lock);
  int result = real(address, length, flags);
  for (int index = 0; result == 0 && (flags & MS_SYNC) && index < FILES; index++) {
    if (files[index].users == 0) continue;
    mark_differences(&files[index]);
    synced(&files[index]);
  }
  pthread_mutex_unlock(&lock);
  return result;
}
