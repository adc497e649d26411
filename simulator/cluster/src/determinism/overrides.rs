//! libc's clock and entropy, replaced for the thread of a simulation.
//!
//! The standard library's `Instant`, `SystemTime` and hash keys come from here, and with them what
//! crates such as hyper and h2 do with them. Elsewhere (the parent process that starts many
//! simulations, other threads) the calls go to the kernel, so progress and time limits are real.
//! mad-turmoil, which does the same, answers 0 outside of a runtime and knows turmoil's time alone.
//!
//! Only the binary of this crate and its tests are linked with it.
#![allow(unsafe_code)]

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// What the clocks show when a simulation begins: not 0, so that a little may be taken off.
const START: Duration = Duration::from_secs(3_600);
/// The wall clock's start: 2026-01-01T00:00:00Z.
const EPOCH_S: u64 = 1_767_225_600;

thread_local! {
    static ENTROPY: RefCell<Option<ChaCha8Rng>> = const { RefCell::new(None) };
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    static ORIGIN: Cell<Option<tokio::time::Instant>> = const { Cell::new(None) };
}

/// From now on this thread is a simulation's: entropy comes from the seed, time from the runtime
/// the thread is in.
pub fn enter(seed: u64) {
    // Errors of openraft carry a backtrace where the environment asks for one: most of a run's cost,
    // and addresses in what it prints. Panics have theirs all the same.
    // SAFETY: a simulation has one thread, which is this.
    unsafe { std::env::set_var("RUST_LIB_BACKTRACE", "0") };
    ENTROPY.set(Some(ChaCha8Rng::seed_from_u64(seed)));
    INSIDE.set(true);
}

/// Makes the present moment of the runtime the beginning of the simulation's time; for worlds of
/// one runtime. In worlds of several the time is turmoil's.
pub fn set_origin() {
    ORIGIN.set(Some(tokio::time::Instant::now()));
}

/// Simulated time since the beginning.
#[must_use]
pub fn elapsed() -> Duration {
    if let Some(elapsed) = turmoil::sim_elapsed() {
        return elapsed;
    }
    match ORIGIN.get() {
        Some(origin) if tokio::runtime::Handle::try_current().is_ok() => origin.elapsed(),
        _ => Duration::ZERO,
    }
}

/// Real time since some moment, whatever is simulated: to measure speed.
#[must_use]
pub fn real_time() -> Duration {
    real_clock(libc::CLOCK_MONOTONIC)
}

/// Processor time of this process: what a run costs, whatever else the machine does meanwhile.
#[must_use]
pub fn processor_time() -> Duration {
    real_clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

fn real_clock(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec to a valid place.
    unsafe { libc::syscall(libc::SYS_clock_gettime, clock, &raw mut time) };
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// From now on this process is killed when the thread that started it ends: a run goes on for nobody.
pub fn end_with_parent() {
    // SAFETY: it takes two numbers and touches no memory.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// The monotonic clock inside: that of the runtime, since code compares it with tokio's instants.
fn monotonic() -> Duration {
    thread_local! {
        // The override answers START outside of a runtime, which is where this is first asked.
        static ZERO: Cell<Option<Instant>> = const { Cell::new(None) };
        static ASKING: Cell<bool> = const { Cell::new(false) };
    }
    if ASKING.replace(true) {
        return START;
    }
    let zero = ZERO.get().unwrap_or_else(|| {
        #[allow(clippy::disallowed_methods)]
        let now = Instant::now();
        ZERO.set(Some(now));
        now
    });
    let now = match tokio::runtime::Handle::try_current() {
        Ok(_) => START + tokio::time::Instant::now().into_std().saturating_duration_since(zero),
        Err(_) => START,
    };
    ASKING.set(false);
    now
}

fn inside() -> bool {
    // A thread's locals may be gone while it ends.
    INSIDE.try_with(Cell::get).unwrap_or(false)
}

// SAFETY of both: the names and signatures are libc's; the caller's pointers are valid by libc's
// contract, and are written within the stated bounds only.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> libc::c_int {
    if !inside() {
        return unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) } as libc::c_int;
    }
    let now = match clock {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE => Duration::from_secs(EPOCH_S) + elapsed(),
        _ => monotonic(),
    };
    let spec = libc::timespec {
        tv_sec: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(now.subsec_nanos()),
    };
    unsafe { time.write(spec) };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut u8, len: usize, flags: libc::c_uint) -> isize {
    let seeded = ENTROPY.try_with(|entropy| {
        let mut entropy = entropy.borrow_mut();
        let Some(rng) = entropy.as_mut().filter(|_| len > 0 && !buffer.is_null()) else { return false };
        // SAFETY: see above.
        rng.fill_bytes(unsafe { std::slice::from_raw_parts_mut(buffer, len) });
        true
    });
    if seeded.unwrap_or(false) {
        return isize::try_from(len).unwrap_or(isize::MAX);
    }
    unsafe { libc::syscall(libc::SYS_getrandom, buffer, len, flags) as isize }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn getentropy(buffer: *mut u8, len: usize) -> libc::c_int {
    if unsafe { getrandom(buffer, len, 0) } < 0 { -1 } else { 0 }
}
