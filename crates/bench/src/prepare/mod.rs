//! Makes a system ready for a run: reachable, with products to order and users that order.

pub mod users;

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use http::StatusCode;
use ordersys_contract::product::NewProduct;
use ordersys_contract::{Client, ClientError, Currency, Money};
use uuid::Uuid;

use crate::prepare::users as buyers;
use crate::profile::{ExistingStock, Profile};
use ordersys_command::{Events, Progress};
use ordersys_command::{Exit, Failure, OrFail, Outcome};
use ordersys_verify::system::ApiContract;
use ordersys_verify::system::http::{Got, Http};
use ordersys_workload::amount::parts;
use ordersys_workload::endpoint::Endpoint;
use ordersys_workload::plan::{Plan, Product, Shape};

/// Products that are made at a time.
const IN_FLIGHT: usize = 16;
/// How long a service may take to show that it is there.
const REACH_TIMEOUT: Duration = Duration::from_secs(5);
/// The price of the first product made; the others' differ, so that mixed-up prices are seen.
const FIRST_PRICE: i64 = 199;
/// How much the price rises from product to product.
const PRICE_STEP: i64 = 37;

/// A system that is ready.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// What will be sent.
    pub(crate) plan: Arc<Plan>,
    /// What the system promises.
    pub(crate) contract: ApiContract,
}

/// Makes the system ready; nothing has been counted before this succeeds.
pub(crate) async fn prepare(profile: &Profile, client: &Client, events: &Events) -> Outcome<Prepared> {
    reach(client).await?;
    let run = Uuid::now_v7().as_u128();
    let label = format!("{:08x}", run & u128::from(u32::MAX));
    let progress = events.progress(Some(u64::from(profile.products + profile.users)), "preparing");
    progress.message("products");
    let made = make_products(profile, client, &label, &progress).await?;
    let (products, contract) = if let Some(products) = made {
        (products, ApiContract::Full)
    } else {
        offered(profile)?;
        let existing = existing_products(profile, client).await?;
        allowed(profile, client, &existing)?;
        (existing, ApiContract::Article)
    };
    progress.message("users");
    let users =
        buyers::make(profile, buyers::Run { label: &label, contract, progress: &progress }, client).await?;
    let Profile { seed, lines, quantity, mix, skew, keys, .. } = *profile;
    let shape = Shape { seed, lines, quantity, mix, skew, keys };
    let plan = Plan::new(shape, run, &users.ids, products).signed_in(&users.tokens);
    Ok(Prepared { plan: Arc::new(plan), contract })
}

/// Whether all three services answer at all.
async fn reach(client: &Client) -> Outcome {
    let client = client.clone().with_timeout(REACH_TIMEOUT);
    let urls = client.endpoints();
    for (name, url) in [("user", &urls.user), ("product", &urls.product), ("order", &urls.order)] {
        let (status, _) = client
            .get_raw(url, "/health")
            .await
            .map_err(|error| {
                let error = anyhow::Error::new(error).context(format!("the {name} service is not there"));
                Failure { exit: Exit::Environment, error, hint: None }
            })
            .hint("start a stack with `ordersys up`, or check --user-url, --product-url and --order-url")?;
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return Err(Failure::new(Exit::Environment, format!("the {name} service at {url} is not ready"))
                .hint("wait until `ordersys status` shows it ready"));
        }
    }
    Ok(())
}

/// Makes the run's own products; `None` where the system does not let us.
async fn make_products(
    profile: &Profile,
    client: &Client,
    label: &str,
    progress: &Progress,
) -> Outcome<Option<Vec<Product>>> {
    let make = |number: u32| async move {
        let price = Money::from_minor(FIRST_PRICE + PRICE_STEP * i64::from(number)).unwrap_or_default();
        let name = format!("Bench {label} {number}");
        let new = NewProduct { name, price, stock: profile.stock, currency: Currency::USD, test: true };
        let made = client.create_product(&new).await?;
        progress.add(1);
        let stock = i64::try_from(made.stock).unwrap_or(i64::MAX);
        let price = parts(made.price).unwrap_or(i64::MAX);
        Ok(Product::new(&made.id.to_string(), price, stock))
    };
    let first = match make(0).await {
        Ok(first) => first,
        Err(error) if is_foreign(&error) => return Ok(None),
        Err(error) => return Err(cannot_make("products", error)),
    };
    let rest = stream::iter((1..profile.products).map(make)).buffered(IN_FLIGHT);
    let rest: Vec<_> = rest.try_collect().await.map_err(|error| cannot_make("products", error))?;
    Ok(Some(std::iter::once(first).chain(rest).collect()))
}

/// Refuses what only a system of our contract offers.
fn offered(profile: &Profile) -> Outcome {
    let ours = [Endpoint::Repeat, Endpoint::Bad, Endpoint::Cancel, Endpoint::Restock, Endpoint::Live];
    let what = match ours.into_iter().find(|endpoint| profile.mix.has(*endpoint)) {
        Some(endpoint) => format!("`{}` in the mix", endpoint.name()),
        None if profile.retries > 0 => "--retries".to_owned(),
        None => return Ok(()),
    };
    Err(Failure::new(
        Exit::Usage,
        format!("{what} needs more than the article's contract, and the system lets us make no products"),
    )
    .hint("against a stack of ours use the project's state directory, which holds the admin credential"))
}

/// A run would sell stock that it did not make, and nobody asked it to.
#[derive(Debug, thiserror::Error)]
#[error(
    "{base} lets us make no products, so the run would sell the stock that is there: {units} units of {products} products"
)]
pub struct WouldSellStock {
    base: String,
    products: usize,
    units: i64,
}

/// Refuses to sell what is there, unless that was asked for.
fn allowed(profile: &Profile, client: &Client, existing: &[Product]) -> Outcome {
    if profile.existing == ExistingStock::Sold {
        return Ok(());
    }
    let units = existing.iter().fold(0, |sum: i64, product| sum.saturating_add(product.stock));
    let base = client.endpoints().product.clone();
    let error = WouldSellStock { base, products: existing.len(), units }.into();
    let hint =
        "--sell-existing allows that; with an admin credential (--token-file FILE) the run makes its own"
            .to_owned();
    Err(Failure { exit: Exit::Usage, error, hint: Some(hint) })
}

/// Whether an answer to `POST /products` is that of a system that keeps only the article's contract,
/// or does not know us.
fn is_foreign(error: &ClientError) -> bool {
    let status = match error {
        ClientError::Refused { problem } => problem.code.status(),
        ClientError::BadAnswer { status, .. } => *status,
        ClientError::Unreachable { .. } | ClientError::TimedOut { .. } => return false,
    };
    status.is_success() || matches!(status.as_u16(), 401 | 403 | 404 | 405 | 501)
}

/// The products a system has, those with stock.
async fn existing_products(profile: &Profile, client: &Client) -> Outcome<Vec<Product>> {
    let base = &client.endpoints().product;
    let listed = ordersys_verify::products(Http::new(client)).await;
    let listed = match listed.exit(Exit::Environment)? {
        Got::Found(products, _) => products,
        Got::Refused(status) => {
            return Err(Failure::new(
                Exit::Failed,
                format!("listing the products of {base} is answered with {status}"),
            ));
        }
    };
    let in_stock = listed.into_iter().filter(|product| product.stock > 0);
    let products: Vec<_> = in_stock
        .take(profile.products as usize)
        .map(|product| Product::new(&product.id, product.price.0, product.stock))
        .collect();
    let needed = profile.lines.most();
    if products.len() < needed as usize {
        let found = products.len();
        return Err(Failure::new(
            Exit::NotFound,
            format!("orders of {needed} lines need {needed} products, {base} has {found} in stock and lets us make none"),
        )
        .hint("against a stack of ours use the project's state directory, which holds the admin credential"));
    }
    Ok(products)
}

/// What the run needs cannot be made.
pub(crate) fn cannot_make<E: Into<anyhow::Error>>(what: &str, error: E) -> Failure {
    let error = error.into().context(format!("the {what} of the run cannot be made"));
    Failure {
        exit: Exit::Failed,
        error,
        hint: Some("read the services' logs with `ordersys logs`".to_owned()),
    }
}
