/* A place of one file that can't be read, as of a disk that is worn: for a program that is started with LD_PRELOAD.
   BAD_SECTOR names a file of two numbers of 8 bytes: the inode, and where the page that can't be read begins; 0 is none. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096

static volatile uint64_t *bad;

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("BAD_SECTOR");
    int file = name ? open(name, O_RDONLY) : -1;
    if (file < 0) return;
    void *seen = mmap(NULL, 16, PROT_READ, MAP_SHARED, file, 0);
    if (seen != MAP_FAILED) bad = seen;
    close(file);
}

static int fails(int file, size_t size, off_t start) {
    struct stat found;
    if (!bad || !bad[1] || start + (off_t)size <= (off_t)bad[1] || start >= (off_t)bad[1] + PAGE) return 0;
    return !fstat(file, &found) && found.st_ino == bad[0];
}

ssize_t pread64(int file, void *to, size_t size, off_t start) {
    static ssize_t (*real)(int, void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pread64");
    if (fails(file, size, start)) { errno = EIO; return -1; }
    return real(file, to, size, start);
}

ssize_t pread(int file, void *to, size_t size, off_t start) { return pread64(file, to, size, start); }

ssize_t read(int file, void *to, size_t size) {
    static ssize_t (*real)(int, void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "read");
    if (bad && bad[1] && fails(file, size, lseek(file, 0, SEEK_CUR))) { errno = EIO; return -1; }
    return real(file, to, size);
}
