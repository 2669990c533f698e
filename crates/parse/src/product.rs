//! Which product wrote a line. Owns: the signals and the vote. Null is better than a guess (DESIGN §4).
//!
//! A decisive signal is a word that only one product writes; it overrides what is known of the source. A weak one (the name of a source file) fills in
//! where nothing is known, and counts in the vote.

use std::borrow::Cow;

use event::{Event, SourceDefinition};
use memchr::{memchr, memmem};

use crate::{
    Format, near,
    parsers::{Context, access::Formatters, first_format},
    prefix,
    time::Zone,
};

/// What a line says about its writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    /// The product.
    pub product: &'static str,
    /// Whether it overrides what is known.
    pub decisive: bool,
}

/// The products that have parsers, by the spelling of the column. `tidb` and `milvus` name their families too.
pub const PRODUCTS: [&str; 8] = ["tidb", "pd", "tikv", "tiflash", "tiproxy", "ticdc", "milvus", "etcd"];
/// The vote looks at this much of a file.
const VOTE_BYTES_MAX: usize = 64 << 10;
/// A decisive line counts as much as so many weak ones.
const DECISIVE_VOTES: usize = 4;

/// A product that a definition may name, as the spelling of the column.
pub fn known(name: &str) -> Option<&'static str> {
    PRODUCTS.into_iter().find(|p| *p == name)
}

/// Whether a hint (`--component`) admits a product: a family admits all of its own.
fn admits(hint: &str, product: &str) -> bool {
    match hint {
        "tidb" => matches!(product, "tidb" | "pd" | "tikv" | "tiflash" | "tiproxy" | "ticdc"),
        "milvus" => matches!(product, "milvus" | "etcd"),
        _ => hint == product,
    }
}

/// What one parsed line says. Where a product is `known` already only decisive words are looked for.
pub fn of_line(event: &Event<'_>, format: Format, known: bool) -> Option<Signal> {
    let sure = |product| Some(Signal { product, decisive: true });
    match format {
        Format::Slow | Format::AuditExtension | Format::AuditPlugin => sure("tidb"),
        Format::Access => sure("milvus"),
        Format::Unified | Format::Json => {
            let decisive = by_message(event).or_else(|| by_fields(event)).or_else(|| by_folder(event, format));
            if known { decisive } else { decisive.or_else(|| by_file(event)).or_else(|| by_habit(event)) }
        }
        // Text that anybody may have written never overrides.
        _ if known => None,
        Format::Gin => Some(Signal { product: "milvus", decisive: false }),
        Format::Glog | Format::Banner | Format::Crash | Format::Plain => by_text(&event.raw),
    }
}

/// TiFlash carries TiKV's code (`tiflash_tikv.log`): what is known to be TiFlash stays TiFlash.
pub fn refine(said: &'static str, before: Option<&'static str>) -> &'static str {
    if said == "tikv" && before == Some("tiflash") { "tiflash" } else { said }
}

/// Messages that only one product prints.
fn by_message(event: &Event<'_>) -> Option<Signal> {
    const MESSAGES: &[(&str, &str)] = &[
        ("Welcome to TiDB", "tidb"),
        ("Welcome to Placement Driver", "pd"),
        ("Welcome to TiKV", "tikv"),
        ("Welcome to TiFlash", "tiflash"),
        ("Welcome to TiProxy", "tiproxy"),
        ("Welcome to Change Data Capture", "ticdc"),
        ("CRUCIAL OPERATION", "tidb"),
        ("GENERAL_LOG", "tidb"),
        ("command dispatched failed", "tidb"),
        ("Server.onConn handshake", "tidb"),
        ("TiKV is ready to serve", "tikv"),
    ];
    let message = event.message.as_deref()?;
    // The first bytes settle nearly every line.
    let first = message.as_bytes().first();
    if !matches!(first, Some(b'W' | b'C' | b'G' | b'c' | b'S' | b'T')) {
        return None;
    }
    MESSAGES
        .iter()
        .find(|(text, _)| text.as_bytes().first() == first && message.starts_with(text))
        .map(|(_, product)| Signal { product, decisive: true })
}

/// The parts of Milvus, as their lines name them.
pub const MILVUS_PARTS: [&str; 13] = [
    "proxy",
    "rootcoord",
    "datacoord",
    "querycoord",
    "indexcoord",
    "mixcoord",
    "datanode",
    "querynode",
    "indexnode",
    "streamingnode",
    "streamingcoord",
    "standalone",
    "cdc",
];

/// Keys that only one product writes.
fn by_fields(event: &Event<'_>) -> Option<Signal> {
    for (key, value) in event.fields.iter().take(6) {
        let product = match key.as_ref() {
            "collectionID" | "segmentID" | "partitionID" | "vChannel" | "vchannel" | "pchannel" | "client_role" | "ProxyID" => "milvus",
            "module" if matches!(value.as_text(), "streamingnode" | "streamingcoord" | "DataCoord" | "RootCoord") => "milvus",
            // TiDB prints the role of an account under the same key, and a client names it: only the parts of Milvus say Milvus.
            "role" if MILVUS_PARTS.contains(&value.as_text()) && event.caller.as_deref().is_some_and(|c| c.contains(".go:")) => "milvus",
            "service-info" => "pd",
            "thread_id" if event.caller.as_deref() == Some("<unknown>") => "tiflash",
            "logger" if value.as_text() == "main" || value.as_text().starts_with("main.") => "tiproxy",
            _ => continue,
        };
        return Some(Signal { product, decisive: true });
    }
    None
}

/// Words of one product (and of the tools around it) that others might use too; only where the file says nothing.
fn by_habit(event: &Event<'_>) -> Option<Signal> {
    const MESSAGES: &[(&str, &str)] = &[
        ("init cluster id", "pd"),
        ("PD", "pd"),
        ("start to campaign PD leader", "pd"),
        ("[pd] ", "tidb"),
        ("new store", "tidb"),
        ("disable Prometheus push client", "tidb"),
        ("detect server type", "tidb"),
        ("detect server version", "tidb"),
        ("parse server info", "tidb"),
        ("dump data successfully", "tidb"),
    ];
    let weak = |product| Some(Signal { product, decisive: false });
    let message = event.message.as_deref().unwrap_or_default();
    let error = event.field_text("error").unwrap_or_default();
    if error.starts_with("[PD:server:") {
        return weak("pd");
    }
    if event.fields.iter().take(3).any(|(key, _)| matches!(key.as_ref(), "conn" | "owner info" | "category")) {
        return weak("tidb");
    }
    MESSAGES
        .iter()
        .find(|(text, _)| if *text == "PD" { message == "PD" } else { message.starts_with(text) })
        .and_then(|(_, product)| weak(product))
}

/// The source file that wrote the line: its language, its folder.
fn by_folder(event: &Event<'_>, format: Format) -> Option<Signal> {
    let file = source_file(event)?;
    let dot = file.as_bytes().iter().rposition(|c| *c == b'.')?;
    let product = match &file[dot + 1..] {
        "rs" => "tikv",
        "cpp" | "cc" | "h" => "tiflash",
        _ if near::find(file.as_bytes(), 0, b'/').is_none() => return None,
        _ if format == Format::Json && is_etcd(event, file) => "etcd",
        // The etcd client's own logger, in whatever process it runs.
        _ if file.contains('@') => return None,
        // Only Milvus' encoder keeps the folder (TiProxy's does too, but names its logger).
        _ => "milvus",
    };
    Some(Signal { product, decisive: true })
}

/// The name of the source file, where only one product has it.
fn by_file(event: &Event<'_>) -> Option<Signal> {
    let file = source_file(event).filter(|file| file.ends_with(".go"))?;
    GO_FILES.iter().find(|(_, files)| files.binary_search(&file).is_ok()).map(|(product, _)| Signal { product, decisive: false })
}

fn source_file<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    let caller = event.caller.as_deref()?;
    // The line's number is short: the colon before it is nearer to the end than a search is worth.
    Some(&caller[..caller.as_bytes().iter().rposition(|c| *c == b':')?])
}

/// etcd writes lower-case levels, and its packages are few.
fn is_etcd(event: &Event<'_>, file: &str) -> bool {
    let folder = file.split_once('/').map_or("", |(folder, _)| folder);
    matches!(
        folder,
        "embed"
            | "etcdmain"
            | "etcdserver"
            | "rafthttp"
            | "raft"
            | "mvcc"
            | "membership"
            | "auth"
            | "wal"
            | "snap"
            | "lease"
            | "v3rpc"
            | "backend"
            | "transport"
            | "zapgrpc"
            | "fileutil"
            | "version"
            | "schema"
            | "v2stats"
            | "osutil"
            | "api"
            | "traceutil"
    ) && event.raw.starts_with("{\"level\":\"")
        && event.raw.as_bytes().get(10).is_some_and(u8::is_ascii_lowercase)
}

/// Words of text without a known structure: banners, stacks, C++.
fn by_text(raw: &str) -> Option<Signal> {
    const WORDS: &[(&str, &str)] = &[
        ("github.com/milvus-io/", "milvus"),
        ("Welcome to use Milvus!", "milvus"),
        ("[KNOWHERE]", "milvus"),
        ("[SEGCORE]", "milvus"),
        ("[milvus]", "milvus"),
        ("---Milvus ", "milvus"),
        ("github.com/pingcap/tidb", "tidb"),
        ("github.com/tikv/pd/server", "pd"),
        ("github.com/pingcap/tiproxy", "tiproxy"),
        ("github.com/pingcap/tiflow", "ticdc"),
        ("Welcome to TiDB", "tidb"),
        ("raftstore", "tikv"),
        ("tikv::", "tikv"),
    ];
    let b = raw.as_bytes();
    WORDS.iter().find(|(word, _)| memmem::find(b, word.as_bytes()).is_some()).map(|(_, product)| Signal { product, decisive: false })
}

/// Names of source files without a folder that only one of the products has. Names that several have (`server.go`, `main.go`) say nothing. Sorted.
const GO_FILES: &[(&str, &[&str])] = &[
    (
        "tidb",
        &[
            "2pc.go",
            "adapter.go",
            "add_column.go",
            "admin.go",
            "advancer.go",
            "aggregate.go",
            "analyze.go",
            "backfilling.go",
            "backfilling_scheduler.go",
            "base_client.go",
            "bind_handle.go",
            "binding_cache.go",
            "black_white_list.go",
            "block_allow_list.go",
            "bootstrap.go",
            "builder.go",
            "callback.go",
            "cgroup_cpu.go",
            "collate.go",
            "collector.go",
            "column.go",
            "compiler.go",
            "config_logging.go",
            "conn.go",
            "conn_stmt.go",
            "constraint.go",
            "coprocessor.go",
            "cpuprofile.go",
            "data_window.go",
            "ddl.go",
            "ddl_api.go",
            "ddl_worker.go",
            "ddl_workerpool.go",
            "del.go",
            "delete_range.go",
            "distsql.go",
            "domain.go",
            "dump.go",
            "errormanager.go",
            "executor.go",
            "executor_manager.go",
            "expensivequery.go",
            "foreign_key.go",
            "gc_worker.go",
            "global_controller.go",
            "grant.go",
            "handle.go",
            "http_handler.go",
            "http_status.go",
            "import.go",
            "import_into.go",
            "index.go",
            "info.go",
            "infoschema.go",
            "insert.go",
            "job_manager.go",
            "job_scheduler.go",
            "job_submitter.go",
            "job_table.go",
            "job_worker.go",
            "load_data.go",
            "lock_resolver.go",
            "memory_alarm.go",
            "memory_usage_alarm.go",
            "mock.go",
            "multi_schema_change.go",
            "nodes.go",
            "oom.go",
            "optimize.go",
            "partition.go",
            "plan_replayer.go",
            "point_get.go",
            "prepare.go",
            "prewrite.go",
            "printer.go",
            "privileges.go",
            "refresher.go",
            "region_cache.go",
            "region_request.go",
            "reorg.go",
            "reorg_util.go",
            "revoke.go",
            "row_container.go",
            "ru_stats.go",
            "runaway.go",
            "scheduler_manager.go",
            "schema_validator.go",
            "schema_version.go",
            "schematracker.go",
            "session.go",
            "session_pool.go",
            "set.go",
            "signal_posix.go",
            "simple.go",
            "slots.go",
            "split_region.go",
            "sqlkiller.go",
            "statistics.go",
            "stats.go",
            "stats_syncload.go",
            "store_cache.go",
            "sysvar.go",
            "sysvar_cache.go",
            "table.go",
            "task_manager.go",
            "telemetry.go",
            "terror.go",
            "tidb.go",
            "ttl_job_manager.go",
            "txn_driver.go",
            "update.go",
            "wait_group_wrapper.go",
        ],
    ),
    (
        "pd",
        &[
            "allocator.go",
            "audit.go",
            "balance_leader.go",
            "balance_region.go",
            "capability.go",
            "checker_controller.go",
            "cluster.go",
            "cluster_id.go",
            "cluster_stat.go",
            "cluster_worker.go",
            "coordinator.go",
            "etcd.go",
            "etcdutil.go",
            "forward.go",
            "global_allocator.go",
            "grpc_service.go",
            "health_checker.go",
            "heartbeat_streams.go",
            "history_buffer.go",
            "hot_region.go",
            "hot_region_config.go",
            "id.go",
            "keyspace.go",
            "labeler.go",
            "leadership.go",
            "lease.go",
            "member.go",
            "memory_limit_tuner.go",
            "metricutil.go",
            "operator_controller.go",
            "prepare_checker.go",
            "region.go",
            "region_syncer.go",
            "replication_mode.go",
            "rule_checker.go",
            "rule_manager.go",
            "scheduler_controller.go",
            "scheduling_controller.go",
            "store_config.go",
            "tso.go",
            "unsafe_recovery_controller.go",
            "versioninfo.go",
        ],
    ),
    (
        "milvus",
        &[
            "collection_replica.go",
            "data_coord.go",
            "data_node.go",
            "flow_graph_insert_node.go",
            "historical.go",
            "index_coord.go",
            "index_node.go",
            "meta_table.go",
            "proxy_node.go",
            "query_coord.go",
            "query_node.go",
            "root_coord.go",
            "segment_loader.go",
            "segment_manager.go",
            "segment_replica.go",
            "session_util.go",
            "streaming.go",
            "task_scheduler.go",
            "timeticksync.go",
        ],
    ),
    ("ticdc", &["capture.go", "changefeed.go", "owner.go", "processor.go"]),
];

/// The product that the first bytes of a file (at most 64 KiB are looked at) speak for. `component` is a hint (family or product); `path` breaks ties only.
pub fn vote(first: &[u8], component: Option<&str>, path: Option<&str>) -> Option<&'static str> {
    // A product that the operator names needs no vote; `tidb` and `milvus` name families too.
    if let Some(told) = component.filter(|c| !matches!(*c, "tidb" | "milvus")).and_then(known) {
        return Some(told);
    }
    let mut votes = [0usize; PRODUCTS.len()];
    let first = &first[..first.len().min(VOTE_BYTES_MAX)];
    let mut at = 0;
    while at < first.len() {
        let end = memchr(b'\n', &first[at..]).map_or(first.len(), |i| at + i);
        if let Some(signal) = std::str::from_utf8(&first[at..end]).ok().and_then(ballot)
            && component.is_none_or(|hint| admits(hint, signal.product))
            && let Some(i) = PRODUCTS.iter().position(|p| *p == signal.product)
        {
            votes[i] += if signal.decisive { DECISIVE_VOTES } else { 1 };
        }
        at = end + 1;
    }
    let most = votes.into_iter().max().unwrap_or(0);
    let ahead: Vec<&'static str> = (0..PRODUCTS.len()).filter(|i| most > 0 && votes[*i] == most).map(|i| PRODUCTS[i]).collect();
    match ahead[..] {
        [] => component.and_then(known),
        [one] => Some(one),
        _ => path.and_then(|p| ahead.iter().copied().find(|product| file_name(p).contains(product))),
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// One line's vote.
fn ballot(line: &str) -> Option<Signal> {
    let (text, _) = prefix::unwrap(line.trim_end_matches('\r'));
    let (definition, access, zone) = (SourceDefinition::default(), Formatters::default(), Zone::Assumed);
    let context = Context { definition: &definition, access: &access, zone: &zone, product: None };
    let mut event = Event { raw: Cow::Borrowed(&text), ..Event::default() };
    let format = first_format(&text, &mut event, &context);
    of_line(&event, format, false)
}

#[cfg(test)]
mod tests;
