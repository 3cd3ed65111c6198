//! The system's allocator with counters.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);
static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grown(octets: usize) {
    CALLS.fetch_add(1, Relaxed);
    PEAK.fetch_max(NOW.fetch_add(octets, Relaxed) + octets, Relaxed);
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // As massif counts: a block that grows is one block. Large ones grow by remapping.
        NOW.fetch_sub(layout.size(), Relaxed);
        grown(size);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a piece of work did to the heap.
#[allow(dead_code, reason = "the soak compares moments")]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Heap {
    /// Blocks asked for, those that grew included.
    #[allow(dead_code, reason = "a test looks at the peak only")]
    pub(crate) calls: usize,
    /// Most octets at a time, over those that were there before.
    pub(crate) peak: usize,
    /// Octets that are still there.
    #[allow(dead_code, reason = "the codec keeps nothing")]
    pub(crate) kept: usize,
}

/// Octets that are in use.
#[allow(dead_code, reason = "for those who compare two moments")]
pub(crate) fn now() -> usize {
    NOW.load(Relaxed)
}

/// Does `work`, and tells what it did to the heap.
#[allow(dead_code, reason = "as above")]
pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> (T, Heap) {
    let (calls, before) = (CALLS.load(Relaxed), NOW.load(Relaxed));
    PEAK.store(before, Relaxed);
    let done = work();
    let heap = Heap {
        calls: CALLS.load(Relaxed) - calls,
        peak: PEAK.load(Relaxed) - before,
        kept: NOW.load(Relaxed).saturating_sub(before),
    };
    (done, heap)
}
