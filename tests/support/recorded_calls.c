/* Records everything that a program does to the files under a directory, with the bytes, in the order of doing.
   Loaded before the C library. RECORD_UNDER is the directory, RECORD_FILE where the record goes. What the program
   writes to RECORD_MARKS is its own word about itself, and stands in the record where it was said.
   RECORD_WITHOUT=KIND:PART plants a fault: syncs of KIND (`files` or `names`) are neither done nor recorded for
   paths with PART in them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* The head of each entry; two names and the bytes follow. */
struct entry {
    uint32_t kind, name_bytes, other_bytes, spare;
    uint64_t file;
    int64_t at;
    uint64_t data_bytes;
};

/* One call at a time is done and recorded, so that the record has the order of doing. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static void lock(void) { pthread_mutex_lock(&turn); }
static void unlock(void) { pthread_mutex_unlock(&turn); }
__attribute__((constructor)) static void keep_turn_over_forks(void) { pthread_atfork(lock, unlock, unlock); }

static void all_of(long fd, const void *bytes, size_t count) {
    while (count > 0) {
        long done = syscall(SYS_write, fd, bytes, count);
        if (done <= 0) abort();
        bytes = (const char *)bytes + done;
        count -= (size_t)done;
    }
}

static void put(char kind, uint64_t file, int64_t at, const char *name, const char *other, const void *data,
                uint64_t data_bytes) {
    struct entry head = {(uint32_t)kind, (uint32_t)strlen(name), (uint32_t)strlen(other), 0, file, at, data_bytes};
    long fd = syscall(SYS_openat, AT_FDCWD, getenv("RECORD_FILE"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) abort();
    all_of(fd, &head, sizeof head);
    all_of(fd, name, head.name_bytes);
    all_of(fd, other, head.other_bytes);
    all_of(fd, data, data_bytes);
    syscall(SYS_close, fd);
}

/* Returns what a path is called under the directory, NULL for one elsewhere. */
static const char *under(const char *path) {
    const char *top = getenv("RECORD_UNDER");
    size_t length = top ? strlen(top) : 0;
    if (!length || !getenv("RECORD_FILE") || strncmp(path, top, length) != 0) return NULL;
    if (path[length] == 0) return ".";
    return path[length] == '/' ? path + length + 1 : NULL;
}

/* Makes a path whole, and says what it is called under the directory. */
static const char *named(int directory, const char *path, char *whole) {
    char link[64];
    ssize_t length = 0;
    if (!path) return NULL;
    if (path[0] != '/') {
        if (directory == AT_FDCWD) strcpy(link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
        length = readlink(link, whole, PATH_MAX - 1);
        if (length < 0) return NULL;
        whole[length++] = '/';
    }
    snprintf(whole + length, PATH_MAX, "%s", path);
    return under(whole);
}

static const char *opened(int fd, char *whole) {
    char link[64];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, whole, PATH_MAX - 1);
    errno = before;
    if (length < 0) return NULL;
    whole[length] = 0;
    return under(whole);
}

static uint64_t file_of(int fd) {
    struct stat found;
    return fstat(fd, &found) == 0 ? found.st_ino : 0;
}

static uint64_t file_at(const char *path) {
    struct stat found;
    return lstat(path, &found) == 0 ? found.st_ino : 0;
}

static int is_mark(int fd) {
    char whole[2 * PATH_MAX];
    const char *marks = getenv("RECORD_MARKS");
    return marks && !opened(fd, whole) && getenv("RECORD_FILE") && strcmp(whole, marks) == 0;
}

static void note_written(int fd, int64_t at, const void *data, ssize_t done) {
    char whole[2 * PATH_MAX];
    const char *name = opened(fd, whole);
    if (done <= 0 || !name) return;
    put('w', file_of(fd), at, name, "", data, (uint64_t)done);
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_DSYNC)) put('s', file_of(fd), 0, name, "", "", 0);
}

static int is_left_out(const char *name, int fd) {
    const char *without = getenv("RECORD_WITHOUT");
    struct stat found;
    if (!without || fstat(fd, &found) != 0) return 0;
    const char *part = strchr(without, ':');
    int is_names = strncmp(without, "names", 5) == 0;
    return part && (S_ISDIR(found.st_mode) != 0) == is_names && strstr(name, part + 1) != NULL;
}

#define WATCHED(fd) \
    char whole[2 * PATH_MAX]; \
    const char *name = opened(fd, whole)

ssize_t write(int fd, const void *data, size_t count) {
    WATCHED(fd);
    if (!name && is_mark(fd)) {
        lock();
        put('m', 0, 0, "", "", data, count);
        unlock();
        return (ssize_t)count;
    }
    if (!name) return REAL(write)(fd, data, count);
    lock();
    ssize_t done = REAL(write)(fd, data, count);
    int failed = errno;
    note_written(fd, lseek(fd, 0, SEEK_CUR) - done, data, done);
    unlock();
    errno = failed;
    return done;
}

#define PWRITE(call, offset) \
    ssize_t call(int fd, const void *data, size_t count, offset at) { \
        WATCHED(fd); \
        if (!name) return REAL(call)(fd, data, count, at); \
        lock(); \
        ssize_t done = REAL(call)(fd, data, count, at); \
        int failed = errno; \
        note_written(fd, at, data, done); \
        unlock(); \
        errno = failed; \
        return done; \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

/* Several pieces at once are recorded as one write. */
static void note_pieces(int fd, int64_t at, const struct iovec *pieces, int count, ssize_t done) {
    if (done <= 0) return;
    char *data = malloc((size_t)done);
    ssize_t filled = 0;
    for (int i = 0; i < count && filled < done; i++) {
        ssize_t share = (ssize_t)pieces[i].iov_len < done - filled ? (ssize_t)pieces[i].iov_len : done - filled;
        memcpy(data + filled, pieces[i].iov_base, (size_t)share);
        filled += share;
    }
    note_written(fd, at, data, done);
    free(data);
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
    WATCHED(fd);
    if (!name) return REAL(writev)(fd, pieces, count);
    lock();
    ssize_t done = REAL(writev)(fd, pieces, count);
    int failed = errno;
    note_pieces(fd, lseek(fd, 0, SEEK_CUR) - done, pieces, count, done);
    unlock();
    errno = failed;
    return done;
}

#define PWRITEV(call, offset) \
    ssize_t call(int fd, const struct iovec *pieces, int count, offset at) { \
        WATCHED(fd); \
        if (!name) return REAL(call)(fd, pieces, count, at); \
        lock(); \
        ssize_t done = REAL(call)(fd, pieces, count, at); \
        int failed = errno; \
        note_pieces(fd, at, pieces, count, done); \
        unlock(); \
        errno = failed; \
        return done; \
    }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

/* What the kernel copies is read again from where it came from. */
static void note_copied(int fd, int64_t at, int from, int64_t from_at, ssize_t done) {
    if (done <= 0) return;
    char *data = malloc((size_t)done);
    if (pread(from, data, (size_t)done, from_at) != done) abort();
    note_written(fd, at, data, done);
    free(data);
}

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t count, unsigned flags) {
    WATCHED(to);
    if (!name) return REAL(copy_file_range)(from, from_at, to, to_at, count, flags);
    lock();
    int64_t begin = from_at ? *from_at : lseek(from, 0, SEEK_CUR), at = to_at ? *to_at : lseek(to, 0, SEEK_CUR);
    ssize_t done = REAL(copy_file_range)(from, from_at, to, to_at, count, flags);
    int failed = errno;
    note_copied(to, at, from, begin, done);
    unlock();
    errno = failed;
    return done;
}

#define SENDFILE(call, offset) \
    ssize_t call(int to, int from, offset *from_at, size_t count) { \
        WATCHED(to); \
        if (!name) return REAL(call)(to, from, from_at, count); \
        lock(); \
        int64_t begin = from_at ? *from_at : lseek(from, 0, SEEK_CUR), at = lseek(to, 0, SEEK_CUR); \
        ssize_t done = REAL(call)(to, from, from_at, count); \
        int failed = errno; \
        note_copied(to, at, from, begin, done); \
        unlock(); \
        errno = failed; \
        return done; \
    }
SENDFILE(sendfile, off_t)
SENDFILE(sendfile64, off64_t)

#define TRUNCATE(call, offset) \
    int call(int fd, offset length) { \
        WATCHED(fd); \
        if (!name) return REAL(call)(fd, length); \
        lock(); \
        int done = REAL(call)(fd, length); \
        int failed = errno; \
        if (done == 0) put('t', file_of(fd), length, name, "", "", 0); \
        unlock(); \
        errno = failed; \
        return done; \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define ALLOCATE(call, offset, parameters, arguments, is_plain) \
    int call parameters { \
        WATCHED(fd); \
        if (!name) return REAL(call) arguments; \
        lock(); \
        int done = REAL(call) arguments; \
        int failed = errno; \
        if (done == 0) put((is_plain) ? 'a' : '?', file_of(fd), at + length, name, "", "", 0); \
        unlock(); \
        errno = failed; \
        return done; \
    }
ALLOCATE(fallocate, off_t, (int fd, int mode, off_t at, off_t length), (fd, mode, at, length), mode == 0)
ALLOCATE(fallocate64, off64_t, (int fd, int mode, off64_t at, off64_t length), (fd, mode, at, length), mode == 0)
ALLOCATE(posix_fallocate, off_t, (int fd, off_t at, off_t length), (fd, at, length), 1)
ALLOCATE(posix_fallocate64, off64_t, (int fd, off64_t at, off64_t length), (fd, at, length), 1)

#define SYNC(call) \
    int call(int fd) { \
        WATCHED(fd); \
        if (!name) return REAL(call)(fd); \
        if (is_left_out(name, fd)) return 0; \
        lock(); \
        int done = REAL(call)(fd); \
        int failed = errno; \
        if (done == 0) put('s', file_of(fd), 0, name, "", "", 0); \
        unlock(); \
        errno = failed; \
        return done; \
    }
SYNC(fsync)
SYNC(fdatasync)

void *mmap(void *where, size_t length, int protection, int flags, int fd, off_t at) {
    char whole[2 * PATH_MAX];
    int is_written = (protection & PROT_WRITE) && (flags & MAP_SHARED) && !(flags & MAP_ANONYMOUS);
    const char *name = is_written ? opened(fd, whole) : NULL;
    if (name) {
        lock();
        put('p', file_of(fd), at, name, "", "", 0);
        unlock();
    }
    return REAL(mmap)(where, length, protection, flags, fd, at);
}
void *mmap64(void *where, size_t length, int protection, int flags, int fd, off64_t at) {
    return mmap(where, length, protection, flags, fd, at);
}

/* A file that is new by this call, or that it makes empty, is recorded so. */
static int note_open(int directory, const char *path, int flags, mode_t mode) {
    char whole[2 * PATH_MAX];
    int changes = (flags & O_CREAT) || ((flags & O_TRUNC) && (flags & O_ACCMODE) != O_RDONLY);
    const char *name = changes ? named(directory, path, whole) : NULL;
    if (!name) return (int)syscall(SYS_openat, directory, path, flags, mode);
    lock();
    struct stat before;
    int was_there = stat(whole, &before) == 0;
    int fd = (int)syscall(SYS_openat, directory, path, flags, mode);
    int failed = errno;
    if (fd >= 0 && !was_there) put('c', file_of(fd), 0, name, "", "", 0);
    else if (fd >= 0 && (flags & O_TRUNC) && before.st_size > 0) put('t', file_of(fd), 0, name, "", "", 0);
    unlock();
    errno = failed;
    return fd;
}

#define MODE_OF(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }
int open(const char *path, int flags, ...) { MODE_OF(flags) return note_open(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return note_open(AT_FDCWD, path, flags, mode); }
int openat(int in, const char *path, int flags, ...) { MODE_OF(flags) return note_open(in, path, flags, mode); }
int openat64(int in, const char *path, int flags, ...) { MODE_OF(flags) return note_open(in, path, flags, mode); }
int creat(const char *path, mode_t mode) { return note_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return note_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

/* A name that is given, changed or taken away. */
#define NAMES(kind, call, parameters, arguments, from_in, from, to_in, to) \
    int call parameters { \
        char whole[2 * PATH_MAX], other_whole[2 * PATH_MAX]; \
        const char *name = named(from_in, from, whole), *other = to ? named(to_in, to, other_whole) : ""; \
        if (!name && !(to && other)) return REAL(call) arguments; \
        lock(); \
        uint64_t file = file_at(whole); \
        int done = REAL(call) arguments; \
        int failed = errno; \
        if (done == 0) put(name && other ? kind : '?', file, 0, name ? name : from, other ? other : to, "", 0); \
        unlock(); \
        errno = failed; \
        return done; \
    }
#define NOWHERE ((const char *)NULL)
NAMES('n', rename, (const char *from, const char *to), (from, to), AT_FDCWD, from, AT_FDCWD, to)
NAMES('n', renameat, (int in, const char *from, int into, const char *to), (in, from, into, to), in, from, into, to)
NAMES('n', renameat2, (int in, const char *from, int into, const char *to, unsigned flags),
      (in, from, into, to, flags), in, from, into, to)
NAMES('l', link, (const char *from, const char *to), (from, to), AT_FDCWD, from, AT_FDCWD, to)
NAMES('l', linkat, (int in, const char *from, int into, const char *to, int flags), (in, from, into, to, flags), in,
      from, into, to)
NAMES('u', unlink, (const char *path), (path), AT_FDCWD, path, AT_FDCWD, NOWHERE)
NAMES('u', unlinkat, (int in, const char *path, int flags), (in, path, flags), in, path, AT_FDCWD, NOWHERE)
NAMES('u', rmdir, (const char *path), (path), AT_FDCWD, path, AT_FDCWD, NOWHERE)
NAMES('?', symlink, (const char *from, const char *to), (from, to), AT_FDCWD, from, AT_FDCWD, to)

#define DIRECTORY(call, parameters, arguments, in, path) \
    int call parameters { \
        char whole[2 * PATH_MAX]; \
        const char *name = named(in, path, whole); \
        if (!name) return REAL(call) arguments; \
        lock(); \
        int done = REAL(call) arguments; \
        int failed = errno; \
        if (done == 0) put('d', file_at(whole), 0, name, "", "", 0); \
        unlock(); \
        errno = failed; \
        return done; \
    }
DIRECTORY(mkdir, (const char *path, mode_t mode), (path, mode), AT_FDCWD, path)
DIRECTORY(mkdirat, (int in, const char *path, mode_t mode), (in, path, mode), in, path)
