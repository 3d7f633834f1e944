//! The pieces of the hot paths, timed one by one: `cargo bench -p ordersys-benches`.

use std::path::Path;
use std::time::{Duration, Instant};

use divan::{Bencher, black_box};
use futures_util::future::join_all;
use ordersys_benches::finished::{pending, sold};
use ordersys_benches::requests::Ids;
use ordersys_benches::system::{Neighbours, System};
use ordersys_contract::order::NewOrder;
use ordersys_loadgen::measure::distribution::Distribution;
use ordersys_order::domain::draft::Draft;
use ordersys_order::ports::{BatchItem, Batcher};
use ordersys_store::Durability;
use ordersys_workload::plan;
use ordersys_workload::plan::{Plan, Shape};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

fn main() {
    divan::main();
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A new order from its bytes, checked.
#[divan::bench(args = [1, 3, 100])]
fn parse_order(bencher: Bencher, lines: usize) {
    let body = Ids::fixed().order_body(lines);
    bencher.bench(|| {
        let new: NewOrder = serde_json::from_slice(black_box(body.as_bytes())).expect("an order");
        Draft::new(&new).expect("checked")
    });
}

/// The load tester's next order, from its number to its bytes.
#[divan::bench(args = [1, 3])]
fn plan_order(bencher: Bencher, lines: u32) {
    let ids = (0..100).map(|_| ordersys_contract::ProductId::now().to_string());
    let products = ids.map(|id| plan::Product::new(&id, 100, 1000)).collect();
    let users = [ordersys_contract::UserId::now().to_string()];
    let shape = Shape { lines: lines.to_string().parse().expect("a span"), ..Shape::default() };
    let plan = Plan::new(shape, 1, &users, products);
    let (mut number, mut draft, mut body) = (0, plan::Draft::default(), Vec::new());
    bencher.bench_local(|| {
        number += 1;
        body.clear();
        plan.draft(number, &mut draft);
        plan.render(&draft, &mut body);
        black_box((plan.key(number), body.len()))
    });
}

/// One time into a histogram.
#[divan::bench]
fn record_time(bencher: Bencher) {
    let (mut distribution, mut nanos) = (Distribution::new(), 1);
    bencher.bench_local(|| {
        nanos = (nanos * 6_364_136_223_846_793_005_u64) >> 34 | 1;
        distribution.record(black_box(nanos));
    });
}

/// What is asked: a number.
struct Number(u64);

impl BatchItem for Number {
    type Key = ();
    type Answer = u64;

    fn key(&self) {}

    fn matches((): &(), _: &u64) -> bool {
        true
    }
}

/// So many items through one batcher and back, with a call that takes no time.
#[divan::bench(args = [1, 16, 256])]
fn coalesce(bencher: Bencher, items: u64) {
    let runtime = runtime();
    let answers =
        |asked: Vec<Number>, _: Instant| async move { Ok(asked.into_iter().map(|n| n.0).collect()) };
    let batcher = runtime.block_on(async { Batcher::start(None, answers) });
    bencher.bench_local(|| {
        runtime.block_on(join_all((0..items).map(|number| batcher.ask(Number(number), PATIENCE))))
    });
}

/// A system whose stores are written without a sync: what is timed is the work, not the disk.
fn system(runtime: &Runtime) -> (System, Ids, TempDir) {
    let dir = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).expect("a directory");
    runtime.block_on(async {
        let system =
            System::start(dir.path(), Durability::Memory, Neighbours::Doubles).await.expect("starts");
        let ids = system.seed().await.expect("a user and a product");
        (system, ids, dir)
    })
}

/// One commit of so many reservations.
#[divan::bench(args = [1, 16, 256], sample_count = 50)]
fn product_commit(bencher: Bencher, orders: usize) {
    let runtime = runtime();
    let (system, ids, _dir) = system(&runtime);
    bencher
        .with_inputs(|| pending(ids, orders).expect("orders"))
        .bench_local_values(|batch| runtime.block_on(sold(&system.product, batch)).expect("sold"));
    runtime.block_on(system.stop()).expect("stops");
}

/// One commit of so many finished orders and their keys.
#[divan::bench(args = [1, 16, 256], sample_count = 50)]
fn order_commit(bencher: Bencher, orders: usize) {
    let runtime = runtime();
    let (system, ids, _dir) = system(&runtime);
    bencher
        .with_inputs(|| {
            runtime.block_on(sold(&system.product, pending(ids, orders).expect("orders"))).expect("sold")
        })
        .bench_local_values(|batch| runtime.block_on(system.order.import(batch)).expect("stored"));
    runtime.block_on(system.stop()).expect("stops");
}
