# Sourced before a training program: big blocks stay with malloc and use huge pages, or half the time goes into page faults.
export MALLOC_MMAP_THRESHOLD_=8589934592 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456 MALLOC_ARENA_MAX=1
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1 OMP_NUM_THREADS="${OMP_NUM_THREADS:-$(nproc)}"
