// SPDX-License-Identifier: Apache-2.0
/// Cleanup at the end of the block, declared where the resource is.
///
/// `SCOPED(fn) T x` calls `fn(&x)` when `x` leaves its block on any path; `TAKE_FD` and `TAKE_PTR`
/// pass the ownership on. Hence no cleanup labels.
#pragma once

#define SCOPED(fn) __attribute__((cleanup(fn)))

/// Yield the descriptor and leave -1 behind, so that its scope closes nothing.
#define TAKE_FD(fd)          \
    __extension__({          \
        int take_fd_ = (fd); \
        (fd) = -1;           \
        take_fd_;            \
    })

/// Yield the pointer and leave NULL behind, so that its scope frees nothing.
#define TAKE_PTR(ptr)                  \
    __extension__({                    \
        __auto_type take_ptr_ = (ptr); \
        (ptr) = (void *)0;             \
        take_ptr_;                     \
    })

/// Close `*fd` if it is not -1; for SCOPED.
void fd_closep(const int *fd);
/// free(3) what `ptr` (the address of a pointer) points to; for SCOPED on malloc'ed memory.
void mem_freep(void *ptr);
