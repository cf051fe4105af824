//! Stands in for the extension, with the faults in it that `rake mem:check` has to find: it is the proof that the check
//! can fail.

use std::hint::black_box;

#[unsafe(no_mangle)]
pub extern "C" fn Init_leak_hunter() {
    // A word left on a stack may still point to the last of them, and that one is not lost then.
    for _ in 0..100 {
        leak();
    }
    read_what_is_freed();
}

#[inline(never)]
fn leak() {
    std::mem::forget(black_box(vec![1_u64; 1000]));
}

#[inline(never)]
fn read_what_is_freed() {
    let freed = {
        let vec = black_box(vec![1_u64; 1000]);
        vec.as_ptr()
    };
    black_box(unsafe { freed.read_volatile() });
}
