//! Reads stored orders and stock through the public API and shows them to the judge.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use http::StatusCode;
use ordersys_contract::client::Walk;
use ordersys_contract::{Client, ClientError, order, product};

use crate::run::coverage::{Coverage, Stage};
use crate::run::orders::Judge;
use crate::run::stock::Stock;
use crate::system::http::{Got, Http, at};
use crate::system::wire;
use ordersys_workload::evidence::ledger::OrderRef;
use ordersys_workload::plan::Plan;

/// Orders on a page.
const PAGE: u32 = 1000;
/// Users whose orders are listed at a time.
const LISTS: usize = 4;
/// Single reads on their way at a time.
const READS: usize = 32;
/// How long undecided orders are waited for: more than the order service gives itself.
const PATIENCE: Duration = Duration::from_secs(45);
/// The pause between looks at undecided orders.
const PAUSE: Duration = Duration::from_millis(250);
/// Most lost-looking orders that are looked for by id after the list.
const MAX_SECOND_LOOKS: usize = 10_000;

/// Lists all orders of the run's users.
pub(crate) async fn list(
    http: Http<'_>,
    plan: &Plan,
    judge: &mut Judge<'_>,
) -> Result<Coverage, ClientError> {
    let first = |user: &str| format!("{}?userId={user}&limit={PAGE}", order::ORDERS);
    let users: Vec<_> = plan.users().map(first).collect();
    let mut pages = stream::iter(users).flat_map_unordered(LISTS, |first| Box::pin(pages(http, first)));
    let mut undecided = Vec::new();
    while let Some(page) = pages.next().await {
        match page? {
            Got::Found(orders, _) => orders.into_iter().for_each(|order: wire::Order| {
                if Stage::of(&order) == Stage::Open {
                    undecided.push((http, order));
                } else {
                    judge.stored(&order);
                }
            }),
            Got::Refused(status) => {
                return Ok(Coverage::Acknowledged(format!("listing orders is answered with {status}")));
            }
        }
    }
    settle(undecided, judge).await?;
    second_look(http, plan, judge).await?;
    Ok(Coverage::All)
}

/// The pages of one list, each read when the one before is used up.
fn pages(
    http: Http<'_>,
    first: String,
) -> impl stream::Stream<Item = Result<Got<Vec<wire::Order>>, ClientError>> {
    stream::unfold((Some(first), Walk::default()), move |(path, mut walk)| async move {
        let page = http.get(&http.client().endpoints().order, &path?).await;
        match page {
            Ok(Got::Found(orders, next)) => {
                let orders: Vec<wire::Order> = orders;
                match walk.after(orders.len(), next) {
                    Ok(next) => Some((Ok(Got::Found(orders, next.clone())), (next, walk))),
                    Err(endless) => Some((Err(endless), (None, walk))),
                }
            }
            ended => Some((ended, (None, walk))),
        }
    })
}

/// Waits until undecided orders are decided, each read as a user who may read it.
async fn settle(orders: Vec<(Http<'_>, wire::Order)>, judge: &mut Judge<'_>) -> Result<(), ClientError> {
    let deadline = Instant::now() + PATIENCE;
    for (http, mut order) in orders {
        while Stage::of(&order) == Stage::Open && Instant::now() < deadline {
            tokio::time::sleep(PAUSE).await;
            if let Got::Found(now, _) = read(http, &order.id).await? {
                order = now;
            }
        }
        judge.stored(&order);
    }
    Ok(())
}

/// Looks by id for what the list did not show, so that a wrong list is not taken for a lost order.
async fn second_look(http: Http<'_>, plan: &Plan, judge: &mut Judge<'_>) -> Result<(), ClientError> {
    let mut missing = judge.missing();
    missing.truncate(MAX_SECOND_LOOKS);
    by_id(http, plan, missing, judge).await.map(drop)
}

/// Reads every acknowledged order by its id.
pub(crate) async fn each(
    http: Http<'_>,
    plan: &Plan,
    reason: &str,
    judge: &mut Judge<'_>,
) -> Result<Coverage, ClientError> {
    let missing = judge.missing();
    let wanted = missing.len();
    let refusals = by_id(http, plan, missing, judge).await?;
    let all_refused = refusals.values().sum::<usize>() == wanted;
    match refusals.iter().find(|(status, _)| **status != StatusCode::NOT_FOUND || all_refused) {
        Some((status, _)) if wanted > 0 => {
            Ok(Coverage::Nothing(format!("reading an order is answered with {status}")))
        }
        _ => Ok(Coverage::Acknowledged(reason.to_owned())),
    }
}

/// Reads orders by id; how often which refusal came.
async fn by_id(
    http: Http<'_>,
    plan: &Plan,
    orders: Vec<(OrderRef, u32)>,
    judge: &mut Judge<'_>,
) -> Result<HashMap<StatusCode, usize>, ClientError> {
    let mut refusals = HashMap::new();
    let mut undecided = Vec::new();
    let owners = owners(http, plan);
    let reads = stream::iter(orders).map(|(order, user)| {
        let http = owners.get(&user).map_or(http, Http::new);
        async move { (http, read(http, &order.to_string()).await) }
    });
    let mut answers = reads.buffer_unordered(READS);
    while let Some((http, answer)) = answers.next().await {
        match answer? {
            Got::Found(order, _) if Stage::of(&order) == Stage::Open => undecided.push((http, order)),
            Got::Found(order, _) => judge.stored(&order),
            Got::Refused(status) => *refusals.entry(status).or_default() += 1,
        }
    }
    settle(undecided, judge).await?;
    Ok(refusals)
}

/// A client for each user that proves itself: a registered user's order is there for its owner, also where
/// no other caller may read it.
fn owners(http: Http<'_>, plan: &Plan) -> HashMap<u32, Client> {
    let tokens = (0..).zip(plan.users()).filter_map(|(place, _)| Some((place, plan.token(place)?)));
    let client = |token| http.client().clone().with_credential(Some(token));
    tokens.map(|(place, token)| (place, client(token.clone()))).collect()
}

async fn read(http: Http<'_>, id: &str) -> Result<Got<wire::Order>, ClientError> {
    http.get(&http.client().endpoints().order, &at(order::ORDER, id)).await
}

/// Reads the stock of every product of the plan.
pub(crate) async fn stock(http: Http<'_>, plan: &Plan) -> Result<Stock, ClientError> {
    let reads = plan.products().iter().map(|product| one_stock(http, &product.id));
    let mut left: Vec<_> = stream::iter(reads).buffered(READS).try_collect().await?;
    if left.iter().all(Option::is_none) {
        left = listed_stock(http, plan).await?;
    }
    let mut stock = Stock { left, restocked: vec![None; plan.products().len()], ..Stock::default() };
    accounts(http, plan, &mut stock).await;
    Ok(stock)
}

async fn one_stock(http: Http<'_>, id: &str) -> Result<Option<i64>, ClientError> {
    match http.get::<wire::Product>(&http.client().endpoints().product, &at(product::PRODUCT, id)).await? {
        Got::Found(product, _) => Ok(Some(product.stock)),
        Got::Refused(_) => Ok(None),
    }
}

/// For systems that show products only in a list.
async fn listed_stock(http: Http<'_>, plan: &Plan) -> Result<Vec<Option<i64>>, ClientError> {
    let products = match products(http).await? {
        Got::Found(products, _) => products,
        Got::Refused(_) => Vec::new(),
    };
    let stock: HashMap<_, _> = products.iter().map(|product| (product.id.as_str(), product.stock)).collect();
    Ok(plan.products().iter().map(|product| stock.get(&*product.id).copied()).collect())
}

/// The first page of products, or all where a system has no pages.
pub async fn products(http: Http<'_>) -> Result<Got<Vec<wire::Product>>, ClientError> {
    http.get(&http.client().endpoints().product, product::PRODUCTS).await
}

/// What the product service says of itself, where it tells: restocked units, and whether its own books
/// balance.
async fn accounts(http: Http<'_>, plan: &Plan, stock: &mut Stock) {
    let Ok(accounts) = http.client().stock_accounts().await else { return };
    let accounts: HashMap<_, _> =
        accounts.iter().map(|account| (account.product_id.to_string(), account)).collect();
    for (place, product) in (0_u32..).zip(plan.products()) {
        let Some(account) = accounts.get(&*product.id) else { continue };
        stock.restocked[place as usize] = Some(i64::try_from(account.restocked).unwrap_or(i64::MAX));
        if !account.is_balanced() || account.reserved > 0 {
            let sum = format!(
                "{} + {} and {} + {} + {}",
                account.initial, account.restocked, account.available, account.reserved, account.sold
            );
            stock.unbalanced.push((place, sum));
        }
    }
}
