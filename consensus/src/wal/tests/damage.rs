//! What is damaged is refused; what is torn is cut.

use super::super::format::{FRAME_HEADER_BYTES, RECORD_HEADER_BYTES, SegmentHeader, VERSION};
use super::{SALT, append_one, content, folder, open, run, segment_paths, small};
use crate::disk::{MemDisk, OpenMode};
use crate::wal::{Wal, WalError};
use std::path::Path;

/// A log of several small segments; closed, so that its last frame holds no entry.
fn closed_log() -> MemDisk {
    let disk = MemDisk::new();
    run(async {
        let wal = open(&disk, small()).await;
        for index in 0..12 {
            append_one(&wal, 1, index, &[index as u8; 60]).await.expect("appends work");
        }
        wal.save_vote(crate::api::GroupId(1), vec![1, 2, 3]).await.expect("votes are saved");
        wal.close().await.expect("the log closes");
    });
    disk
}

async fn try_open(disk: &MemDisk) -> Result<Wal, WalError> {
    Wal::open(disk.mount(), &folder(), SALT, small()).await
}

async fn overwrite(disk: &MemDisk, path: &Path, offset: u64, bytes: Vec<u8>) {
    let file = disk.mount().open(path, OpenMode::Existing).await.expect("the file exists");
    file.write_at_and_sync(offset, bytes.into()).await.expect("the disk works");
}

#[test]
fn every_flipped_bit_is_refused_with_file_and_remedy() {
    let pristine = closed_log();
    let expected = run(async { content(&open(&pristine.fork(), small()).await, 1).await });
    let paths = segment_paths(&pristine);
    assert!(paths.len() > 2, "several segments: {paths:?}");
    for (at, path) in paths.iter().enumerate() {
        let bytes = pristine.durable(path).expect("the file exists").len();
        let closing_frame = bytes - FRAME_HEADER_BYTES - RECORD_HEADER_BYTES;
        for bit in 0..bytes as u64 * 8 {
            let disk = pristine.fork();
            disk.flip_bit(path, bit).expect("the file exists");
            let acknowledged = at + 1 < paths.len() || bit / 8 < closing_frame as u64;
            match run(try_open(&disk)) {
                Err(WalError::Damaged { file, .. }) => assert_eq!(&file, path),
                Err(other) => panic!("bit {bit} of {}: {other}", path.display()),
                Ok(_) if acknowledged => panic!("bit {bit} of {} is not noticed", path.display()),
                Ok(_) => {
                    let found = run(async { content(&open(&disk, small()).await, 1).await });
                    assert_eq!(found, expected, "nothing is lost with the closing frame");
                }
            }
        }
    }
    let disk = pristine.fork();
    disk.flip_bit(&paths[0], 900).expect("the file exists");
    let message = run(try_open(&disk)).err().expect("damage is refused").to_string();
    assert!(message.contains("0000000001.wal at byte"), "{message}");
    assert!(message.contains("Restore the folder from a copy"), "{message}");
}

#[test]
fn zeros_or_garbage_at_the_end_are_cut_and_said() {
    for tail in [vec![0; 150], vec![0xf7; 33], b"\xf7Frm".to_vec()] {
        let disk = closed_log();
        let expected = run(async { content(&open(&disk.fork(), small()).await, 1).await });
        let path = segment_paths(&disk).pop().expect("there is a segment");
        let bytes = disk.durable(&path).expect("the file exists").len();
        run(overwrite(&disk, &path, bytes as u64, tail));
        run(async {
            let wal = try_open(&disk).await.expect("a torn end is no damage");
            assert_eq!(content(&wal, 1).await, expected);
        });
        assert_eq!(disk.durable(&path).expect("the file exists").len(), bytes, "it was cut");
    }
}

#[test]
fn a_zeroed_end_costs_only_what_it_covers() {
    let disk = MemDisk::new();
    run(async {
        let wal = open(&disk, Default::default()).await;
        for index in 0..12 {
            append_one(&wal, 1, index, &[1; 60]).await.expect("appends work");
        }
    });
    let path = segment_paths(&disk).pop().expect("there is a segment");
    let bytes = disk.durable(&path).expect("the file exists").len() as u64;
    run(overwrite(&disk, &path, bytes - 150, vec![0; 150]));
    let left = run(async { content(&open(&disk, Default::default()).await, 1).await });
    assert_eq!(left.len(), 10, "150 bytes are one frame and a part of another");
}

#[test]
fn another_version_is_named() {
    let disk = closed_log();
    let path = segment_paths(&disk).remove(0);
    let header = SegmentHeader { version: VERSION + 1, number: 1, salt: SALT, first_frame: 1 };
    run(overwrite(&disk, &path, 0, header.encode()));
    let error = run(try_open(&disk)).err().expect("another version is refused");
    assert!(matches!(error, WalError::Version { found, supported, .. } if found == 2 && supported == 1));
    assert!(error.to_string().contains("run the build that wrote it"), "{error}");
}

#[test]
fn segments_of_another_folder_are_refused() {
    let disk = closed_log();
    let error = run(Wal::open(disk.mount(), &folder(), SALT + 1, small())).err().expect("refused");
    assert!(matches!(error, WalError::Foreign { .. }), "{error}");
}

#[test]
fn a_missing_segment_is_refused() {
    let paths = segment_paths(&closed_log());
    for path in &paths[..paths.len() - 1] {
        let disk = closed_log();
        run(async { disk.mount().remove(path).await }).expect("the file exists");
        let error = run(try_open(&disk)).err().expect("a gap is refused");
        assert!(matches!(error, WalError::Damaged { .. }), "{error}");
    }
}
