//! The file of an exported log: round trips, and everything that must be refused.

use super::*;
use bytes::Bytes;

fn header(first: u64) -> Record {
    Record::Header(Header {
        cluster: "c".into(),
        node: 1,
        shard: 2,
        level: 1,
        version: "0.1.0".into(),
        exported_ms: 9,
        first,
    })
}

fn batch(index: u64) -> LoggedBatch {
    let commands = vec![Bytes::from_static(b"start"), Bytes::new()];
    LoggedBatch { index, term: 3, time_us: 1_000 * index, wall_ms: 5, commands }
}

fn file(records: &[Record]) -> Vec<u8> {
    let mut out = Vec::new();
    begin(&mut out);
    records.iter().for_each(|record| write(&mut out, record));
    out
}

fn whole() -> Vec<Record> {
    vec![
        header(8),
        Record::Snapshot(SnapshotHead { index: 7, term: 2, bytes: 5, hash: 70 }),
        Record::SnapshotPart(Bytes::from_static(b"sta")),
        Record::SnapshotPart(Bytes::from_static(b"te")),
        Record::Batch(batch(8)),
        Record::StateHash { index: 8, hash: 80 },
        Record::Passed { index: 9, term: 4 },
        Record::End { index: 9, hash: 90 },
    ]
}

fn read(bytes: &[u8]) -> Result<(Option<Snapshot>, Vec<Item>), LogFileError> {
    let mut reader = LogReader::open(bytes)?;
    let snapshot = reader.take_snapshot();
    let mut items = Vec::new();
    while let Some(item) = reader.next_item()? {
        items.push(item);
    }
    Ok((snapshot, items))
}

#[test]
fn what_is_written_is_read() {
    let (snapshot, items) = read(&file(&whole())).unwrap();
    assert_eq!(snapshot.unwrap().data, b"state");
    let expected = [
        Item::Batch(batch(8)),
        Item::StateHash { index: 8, hash: 80, last: false },
        Item::Passed { index: 9, term: 4 },
        Item::StateHash { index: 9, hash: 90, last: true },
    ];
    assert_eq!(items, expected);
    let from_the_beginning =
        [header(0), Record::Passed { index: 0, term: 0 }, Record::End { index: 0, hash: 1 }];
    assert_eq!(read(&file(&from_the_beginning)).unwrap().0, None);
}

#[test]
fn every_flipped_bit_and_every_cut_is_refused() {
    let good = file(&whole());
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&bad).is_err(), "bit {bit} of {}", good.len() * 8);
    }
    for len in 0..good.len() {
        assert!(read(&good[..len]).is_err(), "cut at {len}");
    }
}

#[test]
fn a_file_may_go_on_from_another() {
    let rest = whole().split_off(4);
    let increment = |after| [vec![header(8), Record::GoesOn { after }], rest.clone()].concat();
    let bytes = file(&increment(7));
    assert!(LogReader::open(&bytes[..]).unwrap().goes_on());
    assert!(!LogReader::open(&file(&whole())[..]).unwrap().goes_on());
    let (snapshot, items) = read(&bytes).unwrap();
    assert_eq!((snapshot, items.len()), (None, rest.len()));
    assert_eq!(LogReader::first_index(&bytes[..60]).unwrap(), 8, "the header is enough");
    let gap = read(&file(&increment(6))).unwrap_err().to_string();
    assert!(gap.contains("a mark of another file where the snapshot belongs"), "{gap}");
    // The state at its end, and nothing has happened since.
    let nothing = [header(8), Record::GoesOn { after: 7 }, Record::End { index: 7, hash: 70 }];
    assert_eq!(read(&file(&nothing)).unwrap().1.len(), 1);
}

#[test]
fn what_is_out_of_order_is_refused_with_its_place() {
    let without = |gone: usize| {
        let mut records = whole();
        records.remove(gone);
        read(&file(&records)).unwrap_err().to_string()
    };
    assert!(without(0).contains("where the header belongs"), "{}", without(0));
    assert!(without(1).contains("where the snapshot belongs"), "{}", without(1));
    assert!(without(3).contains("inside the snapshot"), "{}", without(3));
    assert!(without(4).contains("the hash at index 8 before entry 8"), "{}", without(4));
    assert!(without(6).contains("before entry 9"), "{}", without(6));
    assert!(without(7).contains("not whole"), "{}", without(7));
    let mut more = file(&whole());
    let end = more.len();
    more.push(0);
    assert_eq!(read(&more).unwrap_err().offset, end as u64);
    let mut records = whole();
    records[6] = Record::Passed { index: 10, term: 4 };
    assert!(read(&file(&records)).unwrap_err().to_string().contains("entry 10 where 9 belongs"));
}

#[test]
fn other_files_and_layouts_are_named() {
    let said = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    assert!(said(b"").contains("not an exported log"));
    assert!(said(b"date,arrival_s\n").contains("not an exported log"));
    let mut other = file(&whole());
    other[7] = 9;
    assert!(said(&other).contains("layout 9"), "{}", said(&other));
}

/// The format is fixed: these bytes were written by the first version and must stay readable.
#[test]
fn golden_bytes() {
    let mut out = Vec::new();
    write(&mut out, &Record::Batch(LoggedBatch { commands: vec![Bytes::from_static(b"ab")], ..batch(8) }));
    let golden = [16, 0, 0, 0, 1, 242, 59, 192, 235, 3, 8, 3, 251, 64, 31, 5, 1, 2, 97, 98];
    assert_eq!(out, golden);
}
