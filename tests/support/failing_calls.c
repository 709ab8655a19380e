/* Lets one call of a program on the files under a directory fail, and notes all of them in their order.
   Loaded before the C library. Nothing fails and nothing is noted before `fail_arm`; a fork has counts of its own. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static char under[PATH_MAX];
static long seen, due;
static int error_number, takes_half, notes = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* From now on the call with this number, counted from 1, fails with this error; 0 for none. With `half` a write
   that is to fail takes half of its bytes first, and the next write fails. An error below 0 is `kill -9`. */
void fail_arm(const char *directory, long number, int error, int half, int notes_to) {
    snprintf(under, sizeof under, "%s", directory);
    seen = 0;
    due = number;
    error_number = error;
    takes_half = half;
    notes = notes_to;
}

/* How many calls there were. */
long fail_seen(void) { return seen; }

static int is_watched(const char *path) {
    size_t length = strlen(under);
    return notes >= 0 && strncmp(path, under, length) == 0 && (path[length] == '/' || !path[length]);
}

/* Returns whether this call is the one that fails, and notes it. */
static int falls_due(const char *call, const char *path, long size) {
    char line[PATH_MAX + 64];
    int fails = ++seen == due;
    const char *name = path + strlen(under);
    int length = snprintf(line, sizeof line, "%s %s %ld %s\n", call, fails ? "fails" : "goes", size,
                          *name ? name + 1 : ".");
    syscall(SYS_write, notes, line, length);
    if (fails && error_number < 0) kill(getpid(), SIGKILL);
    if (fails) errno = error_number;
    return fails;
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = notes < 0 ? -1 : readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
    return length >= 0 && is_watched(path);
}

static int fd_falls_due(const char *call, int fd) {
    char path[PATH_MAX];
    struct stat found;
    int kept = errno;
    if (!path_of(fd, path)) return 0;
    long size = fstat(fd, &found) ? -1 : (long)found.st_size;
    errno = kept;
    return falls_due(call, path, size);
}

static int path_falls_due(const char *call, const char *path) {
    return is_watched(path) && falls_due(call, path, -1);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    if (takes_half && seen + 1 == due && count > 1) {
        char path[PATH_MAX];
        if (path_of(fd, path)) {
            takes_half = 0;
            return REAL(write)(fd, bytes, count / 2);
        }
    }
    return fd_falls_due("write", fd) ? -1 : REAL(write)(fd, bytes, count);
}
int fsync(int fd) { return fd_falls_due("sync", fd) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return fd_falls_due("sync", fd) ? -1 : REAL(fdatasync)(fd); }
int ftruncate(int fd, off_t length) { return fd_falls_due("truncate", fd) ? -1 : REAL(ftruncate)(fd, length); }
int ftruncate64(int fd, off64_t length) {
    return fd_falls_due("truncate", fd) ? -1 : REAL(ftruncate64)(fd, length);
}
int rename(const char *from, const char *to) {
    return path_falls_due("rename", to) ? -1 : REAL(rename)(from, to);
}
int link(const char *from, const char *to) { return path_falls_due("link", to) ? -1 : REAL(link)(from, to); }
int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    return path_falls_due("link", to) ? -1 : REAL(linkat)(from_dir, from, to_dir, to, flags);
}
int unlink(const char *path) { return path_falls_due("remove", path) ? -1 : REAL(unlink)(path); }

static mode_t mode_of(int flags, va_list more) { return flags & O_CREAT ? va_arg(more, mode_t) : 0; }

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_of(flags, more);
    va_end(more);
    if (flags & O_CREAT && path_falls_due("create", path)) return -1;
    return REAL(open64)(path, flags, mode);
}
int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_of(flags, more);
    va_end(more);
    if (flags & O_CREAT && path_falls_due("create", path)) return -1;
    return REAL(open)(path, flags, mode);
}
