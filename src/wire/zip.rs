//! ZIP archives (APPNOTE 6.3.10), written from the beginning to the end: each file is deflated whole
//! before its header, so that no header is mended later. Of many files, or much in them, the end is
//! ZIP64.

use super::Timestamp;
use chrono::{Datelike, Timelike};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::{self, Write};

pub struct Zip<W> {
    out: W,
    /// Octets so far.
    at: u64,
    /// What stands at the end of each file: its header once more, and where it is.
    central: Vec<u8>,
    entries: u64,
    /// Time and date as DOS had them.
    modified: (u16, u16),
}

impl<W: Write> Zip<W> {
    /// All files are of this moment, in Turkish time.
    pub fn new(out: W, at: Timestamp) -> Self {
        Self { out, at: 0, central: Vec::new(), entries: 0, modified: dos(at) }
    }

    /// Adds a file of less than 4 GiB; names are ASCII, with `/` between folders.
    pub fn add(&mut self, name: &str, octets: &[u8]) -> io::Result<()> {
        let large = || io::Error::new(io::ErrorKind::InvalidInput, "too large for one file");
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::default());
        deflated.write_all(octets)?;
        let deflated = deflated.finish()?;
        let packed = u32::try_from(deflated.len()).map_err(|_| large())?;
        let size = u32::try_from(octets.len()).map_err(|_| large())?;
        let length = u16::try_from(name.len()).map_err(|_| large())?;
        let mut common = Vec::with_capacity(COMMON);
        common.extend_from_slice(&NEEDED.to_le_bytes());
        common.extend_from_slice(&UTF8.to_le_bytes());
        common.extend_from_slice(&DEFLATED.to_le_bytes());
        common.extend_from_slice(&self.modified.0.to_le_bytes());
        common.extend_from_slice(&self.modified.1.to_le_bytes());
        for number in [crc32fast::hash(octets), packed, size] {
            common.extend_from_slice(&number.to_le_bytes());
        }
        common.extend_from_slice(&length.to_le_bytes());

        let begins = self.at;
        self.write(&[LOCAL, &common, &[0, 0], name.as_bytes(), &deflated])?;
        let (offset, extra) = match short(begins) {
            Some(offset) => (offset, Vec::new()),
            None => {
                let field = [&1_u16.to_le_bytes()[..], &8_u16.to_le_bytes(), &begins.to_le_bytes()];
                (u32::MAX, field.concat())
            }
        };
        let attributes = REGULAR << 16;
        for piece in [
            CENTRAL,
            &MADE_BY.to_le_bytes(),
            &common,
            &(extra.len() as u16).to_le_bytes(),
            // No comment, the first disk, no inner attributes.
            &[0; 6],
            &attributes.to_le_bytes(),
            &offset.to_le_bytes(),
            name.as_bytes(),
            &extra,
        ] {
            self.central.extend_from_slice(piece);
        }
        self.entries += 1;
        Ok(())
    }

    /// Writes the end, and gives back what it was written to.
    pub fn finish(mut self) -> io::Result<W> {
        let (begins, entries) = (self.at, self.entries);
        let central = std::mem::take(&mut self.central);
        let size = central.len() as u64;
        self.write(&[&central])?;
        let count = u16::try_from(entries).ok().filter(|count| *count < u16::MAX);
        if count.is_none() || short(size).is_none() || short(begins).is_none() {
            let ends = self.at;
            let numbers = [entries, entries, size, begins].map(u64::to_le_bytes).concat();
            let versions = [MADE_BY.to_le_bytes(), NEEDED.to_le_bytes()].concat();
            self.write(&[END64, &44_u64.to_le_bytes(), &versions, &[0; 8], &numbers])?;
            self.write(&[LOCATOR, &[0; 4], &ends.to_le_bytes(), &1_u32.to_le_bytes()])?;
        }
        let count = count.unwrap_or(u16::MAX).to_le_bytes();
        let size = short(size).unwrap_or(u32::MAX).to_le_bytes();
        let begins = short(begins).unwrap_or(u32::MAX).to_le_bytes();
        self.write(&[END, &[0; 4], &count, &count, &size, &begins, &[0, 0]])?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn write(&mut self, pieces: &[&[u8]]) -> io::Result<()> {
        for piece in pieces {
            self.out.write_all(piece)?;
            self.at += piece.len() as u64;
        }
        Ok(())
    }
}

/// A number that needs no ZIP64.
fn short(number: u64) -> Option<u32> {
    u32::try_from(number).ok().filter(|short| *short < u32::MAX)
}

/// Two seconds are the finest it knows, 1980 the first year.
fn dos(at: Timestamp) -> (u16, u16) {
    let at = at.istanbul();
    let time = (at.hour() << 11) | (at.minute() << 5) | (at.second() / 2);
    let year = u32::try_from(at.year() - 1980).unwrap_or(0).min(127);
    let date = (year << 9) | (at.month() << 5) | at.day();
    (u16::try_from(time).unwrap_or(0), u16::try_from(date).unwrap_or(0))
}

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END64: &[u8] = b"PK\x06\x06";
const LOCATOR: &[u8] = b"PK\x06\x07";
/// Unix, 4.5.
const MADE_BY: u16 = (3 << 8) | 45;
/// ZIP64.
const NEEDED: u16 = 45;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
const DEFLATED: u16 = 8;
/// A file that its owner alone reads and writes.
const REGULAR: u32 = 0o100_600;
/// Octets that both headers of a file share.
const COMMON: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_secs(1_795_424_000);

    #[test]
    fn headers_say_what_stands_where() {
        let mut zip = Zip::new(Vec::new(), AT);
        zip.add("a/b.txt", b"aaaaaaaaaaaaaaaaaaaa").unwrap();
        let archive = zip.finish().unwrap();
        assert!(archive.starts_with(LOCAL));
        let end = archive.len() - 22;
        assert!(archive[end..].starts_with(END));
        let central = u32::from_le_bytes(archive[end + 16..end + 20].try_into().unwrap()) as usize;
        assert!(archive[central..].starts_with(CENTRAL));
        assert_eq!(archive[4..28], archive[central + 6..central + 30], "the same fields");
        assert_eq!(&archive[30..37], b"a/b.txt");
    }

    #[test]
    fn what_lies_behind_four_gigabytes_is_found_by_zip64() {
        let mut zip = Zip::new(Vec::new(), AT);
        zip.at = 5 << 30;
        zip.add("far", b"x").unwrap();
        let archive = zip.finish().unwrap();
        let far = (5_u64 << 30).to_le_bytes();
        let extra = [&[1, 0, 8, 0][..], &far].concat();
        assert!(archive.windows(12).any(|window| window == extra));
        assert!(archive.windows(4).any(|window| window == END64));
        assert!(archive.windows(4).any(|window| window == LOCATOR));
    }

    #[test]
    fn dates_are_those_of_turkey() {
        // 2026-11-23T11:53:20+03:00
        assert_eq!(dos(AT), ((11 << 11) | (53 << 5) | 10, (46 << 9) | (11 << 5) | 23));
        assert_eq!(dos(Timestamp::from_secs(0)).1 >> 9, 0);
    }
}
