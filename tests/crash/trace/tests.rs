use std::time::{Duration, SystemTime};

use super::*;

const GOOD: &str = "
10 100.000001 sendto(5<TCP:[127.0.0.1:465->127.0.0.1:6000]>, \"354\", 3, 0, NULL, 0) = 3
10 100.000002 recvfrom(5<TCP:[127.0.0.1:465->127.0.0.1:6000]>, \"x\", 99, 0, NULL, NULL) = 99
10 100.000003 recvfrom(5<TCP:[127.0.0.1:465->127.0.0.1:6000]>, 0x7f, 99, 0, NULL, NULL) = -1 EAGAIN
11 100.000004 pwrite64(7</srv/blobs/segment-1.kepb>, \"KEP1\", 99, 0) = 99
11 100.000005 fdatasync(7</srv/blobs/segment-1.kepb>) = 0
11 100.000006 pwrite64(8</srv/rows-wal>, \"r\", 4096, 0) = 4096
11 100.000007 fdatasync(8</srv/rows-wal>) = 0
10 100.000008 sendto(5<TCP:[127.0.0.1:465->127.0.0.1:6000]>, \"250\", 3, 0, NULL, 0) = 3
";

fn told() -> Told {
    Told { port: 6000, at: SystemTime::UNIX_EPOCH + Duration::from_secs(101) }
}

fn judge(text: &str) -> Result<(), Fault> {
    Trace::parse(text).durable_before(&told())
}

/// The good trace with the n-th line (from 1) put elsewhere: before line `to`.
fn moved(line: usize, to: usize) -> String {
    let mut lines: Vec<_> = GOOD.trim().lines().collect();
    let one = lines.remove(line - 1);
    lines.insert(to - 1, one);
    lines.join("\n")
}

fn without(line: usize) -> String {
    let lines = GOOD.trim().lines().enumerate().filter(|(n, _)| n + 1 != line);
    lines.map(|(_, text)| text).collect::<Vec<_>>().join("\n")
}

#[test]
fn content_then_rows_then_the_answer_is_durable() {
    assert_eq!(judge(GOOD), Ok(()));
}

#[test]
fn each_missing_call_is_named() {
    assert_eq!(judge(&without(4)), Err(Fault::ContentNotWritten));
    assert_eq!(judge(&without(5)), Err(Fault::ContentNotSynced));
    assert_eq!(judge(&without(6)), Err(Fault::RowsNotWritten));
    assert_eq!(judge(&without(7)), Err(Fault::RowsNotSynced));
}

#[test]
fn syncs_taken_out_turn_it_red() {
    let trace = Trace::parse(GOOD);
    let unsynced = |ending| trace.without_syncs_of(ending).durable_before(&told());
    assert_eq!(unsynced(SEGMENT), Err(Fault::ContentNotSynced));
    assert_eq!(unsynced(WAL), Err(Fault::RowsNotSynced));
}

#[test]
fn a_sync_after_the_answer_is_too_late() {
    assert_eq!(judge(&moved(7, 8)), Err(Fault::RowsNotSynced));
    assert_eq!(judge(&moved(5, 8)), Err(Fault::ContentNotSynced));
}

#[test]
fn a_sync_before_its_write_does_not_count() {
    assert_eq!(judge(&moved(5, 4)), Err(Fault::ContentNotSynced));
    assert_eq!(judge(&moved(7, 6)), Err(Fault::RowsNotSynced));
}

#[test]
fn rows_may_not_point_to_content_that_is_not_synced_yet() {
    // Rows written and synced first, the segment synced after them and still before the answer.
    let lines: Vec<_> = GOOD.trim().lines().collect();
    let order = [0, 1, 2, 3, 5, 6, 4, 7];
    let text: Vec<_> = order.iter().map(|n| lines[*n]).collect();
    assert_eq!(judge(&text.join("\n")), Err(Fault::RowsNotWritten));
}

#[test]
fn a_sync_that_was_still_running_when_the_answer_left_does_not_count() {
    let halves = GOOD
        .replace("fdatasync(8</srv/rows-wal>) = 0", "fdatasync(8</srv/rows-wal> <unfinished ...>");
    let late = format!("{halves}11 100.000009 <... fdatasync resumed>) = 0\n");
    assert_eq!(judge(&late), Err(Fault::RowsNotSynced));
}

#[test]
fn two_halves_of_a_call_are_one() {
    let first = "fdatasync(8</srv/rows-wal> <unfinished ...>";
    let second = "11 100.000007 <... fdatasync resumed>) = 0\n10 100.000008 sendto(";
    let text = GOOD
        .replace("fdatasync(8</srv/rows-wal>) = 0", first)
        .replace("10 100.000008 sendto(", second);
    assert_eq!(judge(&text), Ok(()));
}

#[test]
fn a_failed_sync_is_no_sync() {
    let failed = "fdatasync(8</srv/rows-wal>) = -1 EIO (Input/output error)";
    let text = GOOD.replace("fdatasync(8</srv/rows-wal>) = 0", failed);
    assert_eq!(judge(&text), Err(Fault::RowsNotSynced));
}

#[test]
fn the_sync_of_another_file_does_not_count() {
    let text = GOOD.replace("fdatasync(7</srv/blobs/segment-1", "fdatasync(9</srv/blobs/segment-2");
    assert_eq!(judge(&text), Err(Fault::ContentNotSynced));
}

#[test]
fn a_new_segments_folder_is_synced_too() {
    let create = "11 100.000003 openat(AT_FDCWD</>, \"/srv/blobs/segment-1.kepb\", \
                  O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0600) = 7</srv/blobs/segment-1.kepb>\n";
    let write = "11 100.000004 pwrite64(7";
    let bare = GOOD.replace(write, &format!("{create}{write}"));
    let fault = Fault::FolderNotSynced("/srv/blobs/segment-1.kepb".to_owned());
    assert_eq!(judge(&bare), Err(fault));
    let sync = "11 100.000003 fsync(9</srv/blobs>) = 0\n";
    assert_eq!(judge(&GOOD.replace(write, &format!("{create}{sync}{write}"))), Ok(()));
}

#[test]
fn content_streamed_before_the_end_of_data_needs_its_sync_as_well() {
    let more = "10 100.000004 recvfrom(5<TCP:[127.0.0.1:465->127.0.0.1:6000]>, \"y\", 99, 0, \
                NULL, NULL) = 9\n11 100.000005 fdatasync(7";
    let text = GOOD.replace("11 100.000005 fdatasync(7", more);
    assert_eq!(judge(&text), Ok(()));
    assert_eq!(
        Trace::parse(&text).without_syncs_of(SEGMENT).durable_before(&told()),
        Err(Fault::ContentNotSynced)
    );
}

#[test]
fn rows_synced_before_the_end_of_data_do_not_count() {
    let text = moved(2, 7);
    assert_eq!(judge(&text), Err(Fault::RowsNotWritten));
}

#[test]
fn an_answer_to_another_client_is_not_ours() {
    let other = Told { port: 6001, ..told() };
    assert_eq!(Trace::parse(GOOD).durable_before(&other), Err(Fault::NoAnswer));
}

#[test]
fn lines_that_are_no_calls_are_passed_over() {
    let noise = "10 100.1 +++ exited with 0 +++\n10 100.2 --- SIGCHLD {si_signo=SIGCHLD} ---\n\n(";
    assert_eq!(judge(&format!("{GOOD}{noise}")), Ok(()));
}

#[test]
fn an_opening_is_rows_and_their_sync_before_the_first_octet() {
    let lines = |numbers: &[usize]| {
        let all: Vec<_> = GOOD.trim().lines().collect();
        numbers.iter().map(|n| all[n - 1]).collect::<Vec<_>>().join("\n")
    };
    let judge = |numbers: &[usize]| Trace::parse(&lines(numbers)).rows_durable_before(&told());
    assert_eq!(judge(&[2, 6, 7, 8]), Ok(()));
    assert_eq!(judge(&[2, 8]), Err(Fault::RowsNotWritten));
    assert_eq!(judge(&[6, 7, 2, 8]), Err(Fault::RowsNotWritten));
    assert_eq!(judge(&[2, 6, 8, 7]), Err(Fault::RowsNotSynced));
    // Of content that leaves in several writes the first one counts.
    assert_eq!(judge(&[2, 8, 6, 7, 8]), Err(Fault::RowsNotWritten));
}
