//! Tasks that go on one at a time, when the world says so: each from one wait to the next. A wait for a
//! thread of the store is waited out; one for the network lasts until the world carries octets.

use crate::disk::SimDisk;
use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

pub struct Task {
    pub id: usize,
    /// The house that it dies with, and its disk; none for a client's.
    pub house: Option<(usize, Arc<SimDisk>)>,
    pub name: String,
    future: Pin<Box<dyn Future<Output = ()>>>,
    signal: Arc<Signal>,
}

struct Signal {
    woken: AtomicBool,
    thread: Thread,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl Signal {
    fn new() -> Arc<Self> {
        Arc::new(Self { woken: AtomicBool::new(true), thread: std::thread::current() })
    }
}

impl Task {
    pub fn new(
        id: usize,
        house: Option<(usize, Arc<SimDisk>)>,
        name: String,
        future: impl Future<Output = ()> + 'static,
    ) -> Self {
        Self { id, house, name, future: Box::pin(future), signal: Signal::new() }
    }

    pub fn can_go_on(&self) -> bool {
        self.signal.woken.load(Ordering::Acquire)
    }

    pub fn is_of(&self, house: usize) -> bool {
        self.house.as_ref().is_some_and(|(of, _)| *of == house)
    }

    /// Goes on to the next wait; says whether it is at its end. Whoever has no power comes to none.
    pub fn go_on(&mut self) -> bool {
        let dark = || self.house.as_ref().is_some_and(|(_, disk)| disk.is_out());
        let polled = poll(self.future.as_mut(), &self.signal, &self.name, dark);
        polled.is_ready() && !dark()
    }
}

/// Something that waits for nobody but the store, to its end.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    let (mut future, signal) = (pin!(future), Signal::new());
    loop {
        if let Poll::Ready(done) = poll(future.as_mut(), &signal, "now", || false) {
            return done;
        }
    }
}

fn poll<F: Future + ?Sized>(
    future: Pin<&mut F>,
    signal: &Arc<Signal>,
    name: &str,
    dark: impl Fn() -> bool,
) -> Poll<F::Output> {
    signal.woken.store(false, Ordering::Release);
    ON_NET.set(false);
    let waker = Waker::from(Arc::clone(signal));
    let gate = gate();
    gate.shut();
    // The one thread for what blocks waits, too.
    let held = Arc::clone(&gate);
    tokio::task::spawn_blocking(move || held.pass(|| false));
    let polled = future.poll(&mut Context::from_waker(&waker));
    if polled.is_pending() && !ON_NET.get() {
        gate.open();
        for _ in 0..PATIENCE {
            if signal.woken.load(Ordering::Acquire) || dark() {
                gate.shut();
                return polled;
            }
            std::thread::park_timeout(LOOK_AGAIN);
        }
        panic!("{name} waits for nobody that comes");
    }
    polled
}

/// Lets threads of the store go on only while somebody waits for them: else it would be chance what is
/// done before what.
#[derive(Default)]
pub struct Gate {
    shut: Mutex<bool>,
    bell: Condvar,
}

impl Gate {
    fn shut(&self) {
        *self.shut.lock().unwrap() = true;
    }

    pub fn open(&self) {
        *self.shut.lock().unwrap() = false;
        self.bell.notify_all();
    }

    /// Whoever waits looks again.
    pub fn ring(&self) {
        let _shut = self.shut.lock().unwrap();
        self.bell.notify_all();
    }

    /// Waits until it is open, or there is no use in waiting.
    pub fn pass(&self, useless: impl Fn() -> bool) {
        let shut = self.shut.lock().unwrap();
        drop(self.bell.wait_while(shut, |shut| *shut && !useless()).unwrap());
    }
}

/// The gate of the world that lives on this thread.
pub fn gate() -> Arc<Gate> {
    GATE.with(Arc::clone)
}

/// Said by a stream whose reader has to wait.
pub fn waits_for_the_net() {
    ON_NET.set(true);
}

thread_local! {
    static ON_NET: Cell<bool> = const { Cell::new(false) };
    static GATE: Arc<Gate> = Arc::default();
}

/// A commit takes milliseconds; a machine may be busy.
const PATIENCE: u32 = 2_400;
const LOOK_AGAIN: Duration = Duration::from_millis(50);
