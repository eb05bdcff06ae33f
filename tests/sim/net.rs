//! The network: connections whose octets stay in flight until the world carries them, half of them, or
//! none; doors that may be shut.

use crate::task;
use std::collections::BTreeSet;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Who stands at an end: a house, or a client of one.
pub type Party = Option<usize>;

#[derive(Clone, Default)]
pub struct Net(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    wires: Vec<Wire>,
    calls: Vec<Call>,
    /// Pairs of parties that don't reach each other.
    parted: BTreeSet<(Party, usize)>,
    down: BTreeSet<usize>,
    /// Houses that show another certificate than theirs.
    masked: BTreeSet<usize>,
    next: usize,
}

/// Somebody has dialled.
pub struct Call {
    pub from: Party,
    pub to: usize,
    pub end: End,
}

struct Wire {
    number: usize,
    parties: [Party; 2],
    /// From each side to the other.
    ways: [Way; 2],
    cut: bool,
}

#[derive(Default)]
struct Way {
    flight: Vec<u8>,
    arrived: Vec<u8>,
    closing: bool,
    closed: bool,
    reader: Option<Waker>,
    gone: bool,
}

/// One side of a connection.
pub struct End {
    net: Net,
    number: usize,
    side: usize,
}

/// How the octets in flight fare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fare {
    Whole,
    /// Half of them come, then the connection breaks.
    Half,
    /// None come, and it breaks.
    Lost,
}

impl Net {
    pub fn dial(&self, from: Party, to: usize) -> Option<End> {
        let mut state = self.lock();
        if state.down.contains(&to) || state.parted.contains(&(from, to)) {
            return None;
        }
        let number = state.next;
        state.next += 1;
        let (parties, ways) = ([from, Some(to)], [Way::default(), Way::default()]);
        state.wires.push(Wire { number, parties, ways, cut: false });
        let end = |side| End { net: self.clone(), number, side };
        state.calls.push(Call { from, to, end: end(1) });
        Some(end(0))
    }

    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.lock().calls)
    }

    /// Connections with something in flight, and in which way.
    pub fn in_flight(&self) -> Vec<(usize, usize)> {
        let state = self.lock();
        let mut found = Vec::new();
        for wire in state.wires.iter().filter(|wire| !wire.cut) {
            let moving = |way: &Way| !way.flight.is_empty() || (way.closing && !way.closed);
            found.extend((0..2).filter(|way| moving(&wire.ways[*way])).map(|w| (wire.number, w)));
        }
        found
    }

    pub fn open_wires(&self) -> Vec<usize> {
        self.lock().wires.iter().filter(|wire| !wire.cut).map(|wire| wire.number).collect()
    }

    pub fn carry(&self, number: usize, way: usize, fare: Fare) {
        let mut state = self.lock();
        let Some(wire) = state.wires.iter_mut().find(|wire| wire.number == number) else { return };
        let going = &mut wire.ways[way];
        let octets = match fare {
            Fare::Whole => going.flight.len(),
            Fare::Half => going.flight.len() / 2,
            Fare::Lost => 0,
        };
        let come: Vec<u8> = going.flight.drain(..octets).collect();
        going.arrived.extend(come);
        going.closed = going.closing && going.flight.is_empty();
        match fare {
            Fare::Whole => going.reader.take().into_iter().for_each(Waker::wake),
            Fare::Half | Fare::Lost => wire.cut(),
        }
    }

    pub fn cut(&self, number: usize) {
        self.lock().wires.iter_mut().filter(|wire| wire.number == number).for_each(Wire::cut);
    }

    /// A house is gone: its connections break, and nobody reaches it.
    pub fn house_down(&self, house: usize) {
        let mut state = self.lock();
        state.down.insert(house);
        state.calls.retain(|call| call.to != house);
        let its = |wire: &&mut Wire| wire.parties.contains(&Some(house));
        state.wires.iter_mut().filter(its).for_each(Wire::cut);
    }

    pub fn house_up(&self, house: usize) {
        self.lock().down.remove(&house);
    }

    pub fn part(&self, from: Party, to: usize) {
        self.lock().parted.insert((from, to));
    }

    pub fn mask(&self, house: usize) {
        self.lock().masked.insert(house);
    }

    pub fn is_masked(&self, house: usize) -> bool {
        self.lock().masked.contains(&house)
    }

    pub fn heal(&self) {
        let mut state = self.lock();
        state.parted.clear();
        state.masked.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Wire {
    fn cut(&mut self) {
        self.cut = true;
        for way in &mut self.ways {
            way.flight.clear();
            way.closed = true;
            way.reader.take().into_iter().for_each(Waker::wake);
        }
    }
}

impl End {
    fn with<T>(&self, work: impl FnOnce(&mut Wire, usize) -> T) -> Option<T> {
        let mut state = self.net.lock();
        let wire = state.wires.iter_mut().find(|wire| wire.number == self.number);
        wire.map(|wire| work(wire, self.side))
    }
}

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = self.with(|wire, side| {
            let way = &mut wire.ways[1 - side];
            if !way.arrived.is_empty() {
                let octets = way.arrived.len().min(buffer.remaining());
                buffer.put_slice(&way.arrived[..octets]);
                way.arrived.drain(..octets);
            } else if !way.closed {
                way.reader = Some(cx.waker().clone());
                task::waits_for_the_net();
                return Poll::Pending;
            }
            Poll::Ready(Ok(()))
        });
        read.unwrap_or(Poll::Ready(Ok(())))
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.with(|wire, side| {
            if wire.cut || wire.ways[side].closing {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            wire.ways[side].flight.extend_from_slice(octets);
            Ok(octets.len())
        });
        Poll::Ready(written.unwrap_or(Err(io::ErrorKind::BrokenPipe.into())))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|wire, side| wire.ways[side].closing = true);
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let Ok(mut state) = self.net.0.lock() else { return };
        let Some(at) = state.wires.iter().position(|wire| wire.number == self.number) else {
            return;
        };
        let wire = &mut state.wires[at];
        wire.ways[self.side].closing = true;
        wire.ways[self.side].gone = true;
        if wire.ways.iter().all(|way| way.gone) {
            state.wires.remove(at);
        }
    }
}
