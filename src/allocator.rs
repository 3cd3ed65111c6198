//! An allocator that wipes what is freed.
//!
//! Passwords and keys pass through many buffers on their way: the card's answer, the message, TLS and HTTP,
//! the parser, the database; and a buffer that grows leaves its old octets behind. [`Secret`](crate::secret)
//! wipes what the library keeps; this wipes all the rest, whoever allocated it. Must not know any other module.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;

/// The system's allocator, with every block overwritten by zeros before it is given back.
///
/// The shared library has it with the feature `wipe`. A Rust program that uses the library as a crate says
/// `#[global_allocator] static WIPING: dmsc::allocator::Wiping = dmsc::allocator::Wiping;`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wiping;

/// Wipes a block. The compiler must not see that nobody reads it any more.
///
/// # Safety
/// `block` has `octets` octets that may be written.
unsafe fn wipe(block: *mut u8, octets: usize) {
    // SAFETY: the caller's promise.
    unsafe { block.write_bytes(0, octets) };
    black_box(block);
}

// SAFETY: every block is the system allocator's, with the layout that it was asked for. `realloc` is the
// trait's own, which allocates, copies and frees, so that no octet stays behind where a block moves.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller gives back a block of this layout, which nobody uses any more.
        unsafe {
            wipe(block, layout.size());
            System.dealloc(block, layout);
        }
    }
}
