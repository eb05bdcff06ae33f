use super::*;
use std::future::poll_fn;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a client's zlib would make of `octets`, at one go.
fn packed(octets: &[u8], level: Compression) -> Vec<u8> {
    let mut pack = Compress::new(level, false);
    let mut out = Vec::with_capacity(octets.len() + 1024);
    pack.compress_vec(octets, &mut out, FlushCompress::Sync).unwrap();
    assert_eq!(pack.total_in(), octets.len() as u64);
    out
}

#[tokio::test]
async fn what_is_flushed_arrives_whole_and_the_compressor_is_let_go() {
    let (mut near, mut far) = tokio::io::duplex(1 << 20);
    let mut client = Decompress::new(false);
    let mut stream = Deflated::new(&mut near);
    // As large as the output buffer, smaller, larger; what can't be packed, too.
    let noise: Vec<_> = crate::trust::random::bytes::<40_000>().to_vec();
    for text in [&b"* OK\r\n"[..], &[b'x'; 100_000], &noise, b"", b"* BYE\r\n"] {
        stream.write_all(text).await.unwrap();
        stream.flush().await.unwrap();
        let mut heard = Vec::with_capacity(text.len() + 1);
        while heard.len() < text.len() {
            let mut octets = vec![0; 1000];
            let count = far.read(&mut octets).await.unwrap();
            let before = client.total_in();
            client.decompress_vec(&octets[..count], &mut heard, FlushDecompress::None).unwrap();
            assert_eq!(client.total_in() - before, count as u64);
        }
        assert_eq!(heard, text);
        // The client is waited for.
        let mut one = [0];
        tokio::select! {
            biased;
            _ = stream.read(&mut one) => unreachable!("nothing was sent"),
            () = std::future::ready(()) => {}
        }
        assert!(stream.pack.is_none() && stream.due.capacity() == 0);
    }
}

#[tokio::test]
async fn what_unpacks_to_much_comes_in_pieces() {
    let (mut near, mut far) = tokio::io::duplex(1 << 20);
    let bomb = packed(&vec![b'a'; 10 << 20], Compression::best());
    assert!(bomb.len() < 20 << 10);
    far.write_all(&bomb).await.unwrap();
    drop(far);
    let mut stream = Deflated::new(&mut near);
    let (mut buffer, mut total) = (vec![0; 1000], 0);
    loop {
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(stream.came.capacity() <= PACKED);
        if count == 0 {
            break;
        }
        total += count;
    }
    assert_eq!(total, 10 << 20);
}

#[tokio::test]
async fn octets_that_are_no_deflate_end_the_stream() {
    for octets in [&b"a NOOP\r\n\xff\xff\xff\xff"[..], &[0xff; 100], &[7, 7, 7]] {
        let (mut near, mut far) = tokio::io::duplex(1 << 10);
        far.write_all(octets).await.unwrap();
        drop(far);
        let mut heard = Vec::new();
        let read = Deflated::new(&mut near).read_to_end(&mut heard).await;
        assert!(read.is_err() || heard.is_empty(), "{read:?} {heard:?}");
    }
}

#[tokio::test]
async fn octets_come_one_by_one_too() {
    let (mut near, mut far) = tokio::io::duplex(1);
    let text = b"a LOGIN ali secret\r\nb SELECT INBOX\r\n".repeat(50);
    let octets = packed(&text, Compression::default());
    let sending = async {
        far.write_all(&octets).await.unwrap();
        drop(far);
    };
    let mut heard = Vec::new();
    let mut stream = Deflated::new(&mut near);
    let (read, ()) = tokio::join!(stream.read_to_end(&mut heard), sending);
    assert_eq!((read.unwrap(), heard), (text.len(), text));
}

/// Flushes without end say nothing: whoever only flushes is silent.
#[tokio::test]
async fn empty_flushes_are_read_and_are_nothing() {
    let (mut near, mut far) = tokio::io::duplex(1 << 16);
    let sending = async {
        for _ in 0..1_000 {
            far.write_all(&[0, 0, 0, 0xff, 0xff].repeat(1_000)).await.unwrap();
        }
        far.write_all(&packed(b"a NOOP\r\n", Compression::best())).await.unwrap();
        drop(far);
    };
    let mut heard = Vec::new();
    let mut stream = Deflated::new(&mut near);
    let (read, ()) = tokio::join!(stream.read_to_end(&mut heard), sending);
    assert_eq!((read.unwrap(), heard.as_slice()), (8, &b"a NOOP\r\n"[..]));
    assert!(stream.came.capacity() <= PACKED);
}

#[tokio::test]
async fn what_comes_behind_the_last_flush_is_given_back_untouched() {
    let text = b"a UNAUTHENTICATE\r\n";
    let clear = b"b LOGIN ali \0\0\xff\xff\r\n";
    let octets = [&packed(text, Compression::best())[..], clear].concat();
    for cut in 0..octets.len() {
        let (mut near, mut far) = tokio::io::duplex(1 << 10);
        let mut stream = Deflated::new(&mut near);
        let (first, second) = octets.split_at(cut);
        far.write_all(first).await.unwrap();
        let mut heard = Vec::new();
        let reading = async {
            while heard.len() < text.len() {
                stream.read_buf(&mut heard).await.unwrap();
            }
            poll_fn(|context| stream.poll_end(context)).await.unwrap()
        };
        let sending = async { far.write_all(second).await.unwrap() };
        let (rest, ()) = tokio::join!(reading, sending);
        assert_eq!(heard, text);
        assert!(clear.starts_with(&rest), "cut {cut}: {rest:?}");
        let mut last = vec![0; clear.len() - rest.len()];
        near.read_exact(&mut last).await.unwrap();
        assert_eq!([rest, last].concat(), clear, "cut {cut}");
    }
}
