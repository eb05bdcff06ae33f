//! COMPRESS=DEFLATE (RFC 4978): a stream whose octets are raw deflate both ways (RFC 1951).
//!
//! What a compressed connection holds while its client is silent is the client's window and no more:
//! 43 KiB. A compressor (some 300 KiB) lives from an answer's first octet until the client is waited
//! for; the next one goes on in the same stream, as each flush ends at an octet's end and nothing
//! refers to what an earlier one wrote. A read unpacks into the reader's buffer only, so that a small
//! message that unpacks to a large one comes in pieces, each under the limits of any other input.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(super) struct Deflated<'s, S> {
    stream: &'s mut S,
    unpack: Decompress,
    /// Packed octets that came, from `taken` on not unpacked yet; empty while nothing waits.
    came: Vec<u8>,
    taken: usize,
    /// The last read filled its buffer: the unpacker may hold more without any input.
    more: bool,
    pack: Option<Box<Compress>>,
    /// Packed octets to be written.
    due: Vec<u8>,
    written: usize,
    /// Something was packed since the last flush.
    unflushed: bool,
}

impl<'s, S: AsyncRead + AsyncWrite + Unpin> Deflated<'s, S> {
    pub fn new(stream: &'s mut S) -> Self {
        Self {
            stream,
            unpack: Decompress::new(false),
            came: Vec::new(),
            taken: 0,
            more: false,
            pack: None,
            due: Vec::new(),
            written: 0,
            unflushed: false,
        }
    }

    /// Unpacks what came into `into`; says whether that gave anything.
    fn unpack(&mut self, into: &mut ReadBuf<'_>) -> io::Result<bool> {
        let (before_in, before_out) = (self.unpack.total_in(), self.unpack.total_out());
        let room = into.initialize_unfilled();
        let size = room.len();
        let input = self.came.get(self.taken..).unwrap_or_default();
        let status = self.unpack.decompress(input, room, FlushDecompress::None);
        let taken = (self.unpack.total_in() - before_in) as usize;
        let given = (self.unpack.total_out() - before_out) as usize;
        // Nothing to do without input is no fault of the stream.
        if status.map_err(|_| io::ErrorKind::InvalidData)? == Status::StreamEnd && given == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.taken += taken;
        self.more = given == size;
        if self.taken >= self.came.len() {
            (self.came, self.taken) = (Vec::new(), 0);
        } else if taken == 0 && given == 0 {
            return Err(io::ErrorKind::InvalidData.into());
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
                (self.came, self.taken) = (buffer.filled().to_vec(), 0);
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
