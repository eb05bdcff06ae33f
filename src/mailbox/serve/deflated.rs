//! COMPRESS=DEFLATE (RFC 4978): a stream whose octets are raw deflate both ways (RFC 1951).
//!
//! What a compressed connection holds while its client is silent is the client's window and no more:
//! 43 KiB. A compressor (some 300 KiB) lives from an answer's first octet until the client is waited
//! for; the next one goes on in the same stream, as each flush ends at an octet's end and nothing
//! refers to what an earlier one wrote. A read unpacks into the reader's buffer only, so that a small
//! message that unpacks to a large one comes in pieces, each under the limits of any other input.
//!
//! Packed octets are unpacked from one flush of the client to the next: where compression ends
//! (RFC 8437), what stands behind its last flush is not packed, and was not touched.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(super) struct Deflated<'s, S> {
    stream: &'s mut S,
    unpack: Decompress,
    /// Packed octets that came, from `taken` on not unpacked yet; empty while nothing waits.
    came: Vec<u8>,
    taken: usize,
    /// Where the flush ends that is being unpacked, or what came of it.
    end: usize,
    flush: Flush,
    /// The client ended its stream.
    over: bool,
    /// The last read filled its buffer: the unpacker may hold more without any input.
    more: bool,
    pack: Option<Box<Compress>>,
    /// Packed octets to be written.
    due: Vec<u8>,
    written: usize,
    /// Something was packed since the last flush.
    unflushed: bool,
}

/// How much of a flush's end came: the length of an empty stored block, `00 00 FF FF` (RFC 1951
/// §3.2.4). The same octets amid the data part it, and no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Flush {
    #[default]
    None,
    Zero,
    Zeros,
    Half,
    Whole,
}

/// What came is no deflate.
#[derive(Debug, Error)]
#[error("damaged deflate stream")]
struct Broken;

impl<'s, S: AsyncRead + AsyncWrite + Unpin> Deflated<'s, S> {
    pub fn new(stream: &'s mut S) -> Self {
        Self {
            stream,
            unpack: Decompress::new(false),
            came: Vec::new(),
            taken: 0,
            end: 0,
            flush: Flush::default(),
            over: false,
            more: false,
            pack: None,
            due: Vec::new(),
            written: 0,
            unflushed: false,
        }
    }

    /// Compression ends behind what was read last: all that comes up to the client's flush belongs to
    /// it, and must say nothing. Gives what came behind that, which was never packed.
    pub fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        let mut one = [0];
        while !(self.over || self.at_flush()) {
            let empty = self.came.is_empty() && !self.more;
            if empty && !ready!(self.poll_fill(context))? {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            // A command that was packed behind the end: nobody knows for which state it was meant.
            if self.unpack(&mut ReadBuf::new(&mut one))? {
                return Poll::Ready(Err(Broken.into()));
            }
        }
        Poll::Ready(Ok(self.came.split_off(self.taken.min(self.came.len()))))
    }

    /// Everything up to a flush was unpacked, and nothing behind it.
    fn at_flush(&self) -> bool {
        self.taken >= self.end && !self.more && self.flush == Flush::Whole
    }

    /// Unpacks what came into `into`; says whether that gave anything.
    fn unpack(&mut self, into: &mut ReadBuf<'_>) -> io::Result<bool> {
        if self.over {
            return Err(Broken.into());
        }
        if self.taken >= self.end {
            self.end = self.flush.find(&self.came, self.taken);
        }
        let (before_in, before_out) = (self.unpack.total_in(), self.unpack.total_out());
        let room = into.initialize_unfilled();
        let size = room.len();
        let input = self.came.get(self.taken..self.end).unwrap_or_default();
        let status = self.unpack.decompress(input, room, FlushDecompress::None);
        let taken = (self.unpack.total_in() - before_in) as usize;
        let given = (self.unpack.total_out() - before_out) as usize;
        // Nothing to do without input is no fault of the stream.
        self.over = status.map_err(|_| Broken)? == Status::StreamEnd;
        self.taken += taken;
        self.more = given == size && !self.over;
        if !self.over && self.taken < self.end && taken == 0 && given == 0 {
            return Err(Broken.into());
        }
        if self.taken >= self.came.len() {
            (self.came, self.taken, self.end) = (Vec::new(), 0, 0);
        }
        into.advance(given);
        Ok(given > 0)
    }

    /// Reads packed octets; `false` at the end of the stream.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut octets = [0; PACKED];
        let mut buffer = ReadBuf::new(&mut octets);
        match Pin::new(&mut *self.stream).poll_read(context, &mut buffer) {
            Poll::Pending => {
                if self.due.is_empty() && !self.unflushed {
                    self.pack = None;
                }
                Poll::Pending
            }
            Poll::Ready(read) => {
                read?;
                (self.came, self.taken, self.end) = (buffer.filled().to_vec(), 0, 0);
                Poll::Ready(Ok(!self.came.is_empty()))
            }
        }
    }

    /// Packs `octets` into what is due; says how many.
    fn pack(&mut self, octets: &[u8], flush: FlushCompress) -> io::Result<usize> {
        let new = || Box::new(Compress::new(Compression::fast(), false));
        let pack = self.pack.get_or_insert_with(new);
        let before = pack.total_in();
        self.due.reserve(PACKED);
        let packed = pack.compress_vec(octets, &mut self.due, flush);
        packed.map_err(io::Error::other)?;
        Ok((pack.total_in() - before) as usize)
    }

    fn poll_due(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.due.get(self.written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut *self.stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
        }
        (self.due, self.written) = (Vec::new(), 0);
        Poll::Ready(Ok(()))
    }
}

/// Whether it was the client's deflate that failed, not what carries it.
pub(super) fn is_broken(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Broken>())
}

impl From<Broken> for io::Error {
    fn from(broken: Broken) -> Self {
        Self::new(io::ErrorKind::InvalidData, broken)
    }
}

impl Flush {
    /// Where a flush ends in `octets`, looking from `from` on; their end when none does.
    fn find(&mut self, octets: &[u8], from: usize) -> usize {
        if *self == Self::Whole && from < octets.len() {
            *self = Self::None;
        }
        for (at, octet) in octets.iter().enumerate().skip(from) {
            *self = match (*self, *octet) {
                (Self::Zeros, 0xff) => Self::Half,
                (Self::Half, 0xff) => Self::Whole,
                (Self::Zero | Self::Zeros, 0) => Self::Zeros,
                (_, 0) => Self::Zero,
                _ => Self::None,
            };
            if *self == Self::Whole {
                return at + 1;
            }
        }
        octets.len()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Deflated<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if (!self.came.is_empty() || self.more) && self.unpack(into)? {
                return Poll::Ready(Ok(()));
            }
            if self.came.is_empty() && !ready!(self.poll_fill(context))? {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Deflated<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let piece = octets.get(..octets.len().min(PIECE)).unwrap_or_default();
        loop {
            ready!(self.poll_due(context))?;
            let taken = self.pack(piece, FlushCompress::None)?;
            self.unflushed = true;
            // What it still held may have filled the buffer.
            if taken > 0 || piece.is_empty() {
                return Poll::Ready(Ok(taken));
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_due(context))?;
            if !self.unflushed {
                return Pin::new(&mut *self.stream).poll_flush(context);
            }
            self.pack(&[], FlushCompress::Sync)?;
            // A buffer that was filled to its end may not be the end of the flush.
            self.unflushed = self.due.len() == self.due.capacity();
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(context))?;
        Pin::new(&mut *self.stream).poll_shutdown(context)
    }
}

/// Packed octets at a time.
const PACKED: usize = 4 << 10;
/// Octets that are packed at a time.
const PIECE: usize = 16 << 10;

#[cfg(test)]
mod tests;
