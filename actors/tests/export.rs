//! A shard's exported log, applied again by the core alone, makes the same state.

use crate::harness;

use actors::{Engine, EngineConfig, ExportError, ExportFrom, LogExport, META, MetaReplay};
use harness::{Cluster, Site, eventually};
use proto::codec;
use proto::log_file::{Item, LogReader};
use routing::{Effects, Entry, LogTime, Position, Shard, ShardId, Span};

const RING: Span = Span::seconds(60);

async fn export(engine: &Engine, shard: ShardId, from_snapshot: bool) -> Vec<u8> {
    loop {
        match try_export(engine, shard, from_snapshot).await {
            Ok(file) => return file,
            // The log was cut in the middle of it.
            Err(ExportError::TryAgain(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn try_export(engine: &Engine, shard: ShardId, from_snapshot: bool) -> Result<Vec<u8>, ExportError> {
    let from = if from_snapshot { ExportFrom::Snapshot } else { ExportFrom::Beginning };
    let mut export = engine.export_log(shard, from).await?;
    let mut file = Vec::new();
    while let Some(bytes) = export.next().await? {
        assert!(bytes.len() <= 256 << 10);
        file.extend(bytes);
    }
    Ok(file)
}

async fn collect(mut export: LogExport) -> Vec<u8> {
    let mut file = Vec::new();
    while let Some(bytes) = export.next().await.unwrap() {
        file.extend(bytes);
    }
    file
}

fn last_index(mut reader: LogReader<&[u8]>) -> u64 {
    while let Some(item) = reader.next_item().unwrap() {
        if let Item::StateHash { index, last: true, .. } = item {
            return index;
        }
    }
    unreachable!("a file has an end");
}

/// Applies a file; says how many hashes on the way and at the end were those of the file.
fn apply(file: &[u8]) -> (Shard, usize) {
    let mut reader = LogReader::open(file).unwrap();
    let mut shard = match reader.take_snapshot() {
        None => Shard::new(ShardId(reader.header().shard)),
        Some(snapshot) => {
            let shard: Shard = codec::decode(&snapshot.data).unwrap();
            assert_eq!(shard.state_hash(), snapshot.head.hash);
            shard
        }
    };
    let mut hashes = 0;
    while let Some(item) = reader.next_item().unwrap() {
        match item {
            Item::Batch(batch) => {
                for (ordinal, command) in (0..).zip(&batch.commands) {
                    let position = Position { index: batch.index, ordinal };
                    let (time, wall_ms) = (LogTime(batch.time_us), batch.wall_ms);
                    let request = codec::decode(command).unwrap();
                    let entry = Entry { position, time, wall_ms, request };
                    let _ = shard.apply(&entry, &mut Effects::default());
                }
            }
            Item::Passed { .. } => {}
            Item::StateHash { index, hash, .. } => {
                assert_eq!(shard.state_hash(), hash, "at {index}");
                hashes += 1;
            }
        }
    }
    (shard, hashes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exported_log_makes_the_same_state_with_and_without_a_snapshot() {
    let adjust = |config: &mut consensus::Config| config.limits.snapshot_entries = 40;
    let cluster = Cluster::start_with(1, EngineConfig::default(), adjust).await;
    let engine = cluster.engine(1);
    let site = Site::create(engine, 2, RING).await;
    let shard = engine.domains()[0].shard;

    let young = export(engine, shard, true).await;
    assert_eq!(LogReader::open(&young[..]).unwrap().header().first, 0, "there is no snapshot yet");
    let (state, hashes) = apply(&young);
    assert_eq!((state.domains().len(), hashes), (1, 1));

    let mut conversations = Vec::new();
    let _desk = site.desk(engine, 0).await;
    let file = eventually_purged(engine, shard, async || {
        conversations.push(site.start(engine).await);
    })
    .await;
    let (state, _) = apply(&file);
    for id in &conversations {
        let Ok(answer) = engine.query_local(&actors::Query::Conversation(*id)) else {
            panic!("{id} is gone")
        };
        let actors::Found::Conversation(view) = answer.found else { panic!("{answer:?}") };
        assert_eq!(state.conversation(*id), Some(view));
    }
    let short_file = export(engine, shard, true).await;
    let (short, _) = apply(&short_file);
    assert_eq!(short.state_hash(), state.state_hash());

    // What is asked for after an index goes on from there, or is said to be gone.
    let gone = engine.export_log(shard, ExportFrom::After(0)).await;
    assert!(matches!(gone, Err(ExportError::Gone { wanted: 1, .. })), "{gone:?}");
    let end = last_index(LogReader::open(&short_file[..]).unwrap());
    site.start(engine).await;
    let more = collect(engine.export_log(shard, ExportFrom::After(end)).await.unwrap()).await;
    let reader = LogReader::open(&more[..]).unwrap();
    assert!(reader.goes_on());
    assert_eq!(reader.header().first, end + 1);
    assert!(last_index(reader) > end);
    let ahead = engine.export_log(shard, ExportFrom::After(end + 1_000)).await;
    assert!(matches!(ahead, Err(ExportError::TryAgain(_))), "{ahead:?}");

    // The cluster's own group, from its beginning and from its snapshot, is the same again.
    let shards = u32::try_from(engine.cluster().shards.len()).unwrap() - 1;
    let mut meta = MetaReplay::new(shards);
    assert!(meta.apply(&export(engine, META, false).await[..], |_, _| true).unwrap());
    assert_eq!((meta.accounts().len(), meta.domains()), (1, engine.domains()));
    let cut = MetaReplay::new(shards).apply(&export(engine, META, false).await[..], |index, _| index < 2);
    assert!(!cut.unwrap(), "it does not come to the end");

    let unknown = engine.export_log(ShardId(77), ExportFrom::Beginning).await;
    assert_eq!(unknown.err(), Some(ExportError::UnknownShard(ShardId(77))));
    cluster.stop_all().await;
}

/// Lets things happen until the log no longer begins at its beginning; that log.
async fn eventually_purged(engine: &Engine, shard: ShardId, mut act: impl AsyncFnMut()) -> Vec<u8> {
    for _ in 0..2_000 {
        act().await;
        let file = export(engine, shard, false).await;
        if LogReader::open(&file[..]).unwrap().header().first > 0 {
            return file;
        }
    }
    eventually("a log that was cut", || None).await
}
