/* Notes what a program asks the system to do with the files under a directory, in the order of asking.
   Loaded before the C library; TRACE_UNDER is the directory, TRACE_FILE where the notes go. The process is killed
   right after the note with the number TRACE_DIE_AT, counted from 1. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static void die_if_due(void) {
    static int noted;
    const char *due = getenv("TRACE_DIE_AT");
    if (__sync_add_and_fetch(&noted, 1) == (due ? atoi(due) : 0)) kill(getpid(), SIGKILL);
}

static void note(const char *call, const char *path) {
    const char *under = getenv("TRACE_UNDER"), *file = getenv("TRACE_FILE");
    char line[2 * PATH_MAX];
    if (!under || !file || strncmp(path, under, strlen(under)) != 0) return;
    const char *name = path + strlen(under);
    int length = snprintf(line, sizeof line, "%s %s\n", call, *name ? name + 1 : ".");
    long fd = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0) return;
    syscall(SYS_write, fd, line, length);
    syscall(SYS_close, fd);
    die_if_due();
}

static void note_fd(const char *call, int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = 0;
    note(call, path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t count) {
    ssize_t done = REAL(write)(fd, bytes, count);
    note_fd("write", fd);
    return done;
}
int fsync(int fd) {
    int done = REAL(fsync)(fd);
    note_fd("sync", fd);
    return done;
}
int fdatasync(int fd) {
    int done = REAL(fdatasync)(fd);
    note_fd("sync", fd);
    return done;
}
int ftruncate(int fd, off_t length) {
    int done = REAL(ftruncate)(fd, length);
    note_fd("truncate", fd);
    return done;
}
int ftruncate64(int fd, off64_t length) {
    int done = REAL(ftruncate64)(fd, length);
    note_fd("truncate", fd);
    return done;
}
int rename(const char *from, const char *to) {
    int done = REAL(rename)(from, to);
    note("rename", to);
    return done;
}
int link(const char *from, const char *to) {
    int done = REAL(link)(from, to);
    note("link", to);
    return done;
}
int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    int done = REAL(linkat)(from_dir, from, to_dir, to, flags);
    note("link", to);
    return done;
}
int unlink(const char *path) {
    int done = REAL(unlink)(path);
    note("remove", path);
    return done;
}
ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *there, size_t count, unsigned flags) {
    ssize_t done = REAL(copy_file_range)(from, at, to, there, count, flags);
    note_fd("write", to);
    return done;
}
