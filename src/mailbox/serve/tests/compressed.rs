//! COMPRESS=DEFLATE (RFC 4978) from its begin to its end, the good one and the others.

use super::*;
use flate2::FlushCompress;

/// The client's half of a compressed connection.
struct Packed {
    client: Client,
    pack: flate2::Compress,
    unpack: flate2::Decompress,
}

impl Packed {
    /// Of a client that is logged in.
    async fn over(mut client: Client) -> Self {
        assert!(client.command("COMPRESS DEFLATE").await.contains("t OK"));
        let pack = flate2::Compress::new(flate2::Compression::best(), false);
        Self { client, pack, unpack: flate2::Decompress::new(false) }
    }

    fn packed(&mut self, text: &str, flush: FlushCompress) -> Vec<u8> {
        let mut octets = Vec::with_capacity(text.len() + 1024);
        self.pack.compress_vec(text.as_bytes(), &mut octets, flush).unwrap();
        octets
    }

    async fn send(&mut self, text: &str) {
        let octets = self.packed(text, FlushCompress::Sync);
        self.client.stream.write_all(&octets).await.unwrap();
    }

    async fn until(&mut self, text: &str) -> String {
        let mut heard = Vec::with_capacity(1 << 20);
        loop {
            let mut octets = [0; 4096];
            let count = self.client.stream.read(&mut octets).await.unwrap();
            assert!(count > 0, "hung up before {text:?}");
            let flush = flate2::FlushDecompress::None;
            self.unpack.decompress_vec(&octets[..count], &mut heard, flush).unwrap();
            let said = String::from_utf8_lossy(&heard).into_owned();
            if said.ends_with("\r\n") && said.lines().any(|line| line.starts_with(text)) {
                return said;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compressed_connection_reads_idles_and_is_compressed_once() {
    let (_place, world) = embedded().await;
    let mut client = connect(&imap(&world));
    assert!(client.command("COMPRESS DEFLATE").await.contains("t BAD"), "nobody logged in");
    client.log_in("ali").await;
    assert!(client.command("CAPABILITY").await.contains("COMPRESS=DEFLATE"));
    let mut packed = Packed::over(client).await;
    packed.send("a CAPABILITY\r\nb COMPRESS DEFLATE\r\nc SELECT INBOX\r\n").await;
    let said = packed.until("c OK").await;
    assert!(!said.contains("COMPRESS=DEFLATE"), "{said}");
    assert!(said.contains("b NO [COMPRESSIONACTIVE]"), "{said}");
    packed.send("i IDLE\r\n").await;
    packed.until("+ ").await;
    world.put(world.ali, Role::Inbox, world::STUB, Kind::Plain).await;
    packed.until("* 1 EXISTS").await;
    packed.send("DONE\r\nd FETCH 1 BODY.PEEK[]\r\n").await;
    assert!(packed.until("d OK").await.contains(world::STUB));
    // A literal bomb stays under the limits of any line.
    packed.send(&format!("e NOOP {}\r\n", "a".repeat(1 << 20))).await;
    assert!(packed.until("e BAD").await.contains("too long"));
    packed.send("g LOGOUT\r\n").await;
    packed.until("g OK").await;
    packed.client.served.await.unwrap();
}

/// RFC 8437: the answer is compressed still, what comes after it is not, however it is cut and however
/// the client ends its stream.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compression_ends_at_unauthenticate() {
    let (_place, world) = embedded().await;
    let imap = imap(&world);
    for (flush, piece) in [
        (FlushCompress::Sync, usize::MAX),
        (FlushCompress::Sync, 1),
        (FlushCompress::Full, 3),
        (FlushCompress::Finish, usize::MAX),
        (FlushCompress::Finish, 1),
    ] {
        let mut client = connect(&imap);
        client.log_in("ali").await;
        let mut packed = Packed::over(client).await;
        packed.send("a SELECT INBOX\r\n").await;
        packed.until("a OK").await;
        // What is not compressed may come right behind (RFC 8437 §2).
        let mut octets = packed.packed("b UNAUTHENTICATE\r\n", flush);
        octets.extend(b"t LOGIN veli x\r\nu CAPABILITY\r\n");
        for piece in octets.chunks(piece) {
            packed.client.stream.write_all(piece).await.unwrap();
        }
        let mut heard = Vec::with_capacity(1 << 16);
        while !heard.ends_with(b"b OK UNAUTHENTICATE completed\r\n") || rest_of_flush(&packed) {
            let octet = packed.client.stream.read_u8().await.unwrap();
            let none = flate2::FlushDecompress::None;
            packed.unpack.decompress_vec(&[octet], &mut heard, none).unwrap();
            packed.client.heard.push(octet);
        }
        packed.client.heard.clear();
        assert!(packed.client.until("t ").await.contains("t OK"));
        let said = packed.client.until("u OK").await;
        assert!(said.contains("COMPRESS=DEFLATE"), "{said}");
        // It can begin anew, with a new stream.
        let mut again = Packed::over(packed.client).await;
        again.send("v NOOP\r\n").await;
        again.until("v OK").await;
    }
}

/// Whether the server's flush is not whole yet.
fn rest_of_flush(packed: &Packed) -> bool {
    !packed.client.heard.ends_with(&[0, 0, 0xff, 0xff])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_compressed_behind_unauthenticate_is_not_read() {
    let (_place, world) = embedded().await;
    let mut client = connect(&imap(&world));
    client.log_in("ali").await;
    let mut packed = Packed::over(client).await;
    packed.send("b UNAUTHENTICATE\r\nc LOGIN veli x\r\n").await;
    let said = packed.until("* BYE ").await;
    assert!(!said.contains("c OK"), "{said}");
    packed.client.served.await.unwrap();
}

/// The goodbye says why, and is compressed as all else was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_no_deflate_hears_that_and_nothing_of_it_is_kept() {
    let (_place, world) = embedded().await;
    let imap = imap(&world);
    for begun in ["", "a NO", "a APPEND Taslaklar {50+}\r\nSubject: x\r\n", "a IDLE\r\n"] {
        let mut client = connect(&imap);
        client.log_in("ali").await;
        client.command("SELECT INBOX").await;
        let mut packed = Packed::over(client).await;
        packed.send(begun).await;
        packed.client.stream.write_all(b"\xff in the clear\r\n").await.unwrap();
        let said = packed.until("* BYE ").await;
        assert!(said.contains("* BYE Damaged compressed data"), "{said}");
        packed.client.served.await.unwrap();
    }
    let mut other = connect(&imap);
    other.log_in("ali").await;
    assert!(other.command("SELECT Taslaklar").await.contains("* 0 EXISTS"));
}

/// A stream that its client ended can't go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ended_stream_does_not_go_on() {
    let (_place, world) = embedded().await;
    let mut client = connect(&imap(&world));
    client.log_in("ali").await;
    let mut packed = Packed::over(client).await;
    let mut octets = packed.packed("a NOOP\r\n", FlushCompress::Finish);
    octets.extend(b"b NOOP\r\n");
    packed.client.stream.write_all(&octets).await.unwrap();
    let said = packed.until("* BYE ").await;
    assert!(said.contains("a OK") && !said.contains("b OK"), "{said}");
    packed.client.served.await.unwrap();
}
