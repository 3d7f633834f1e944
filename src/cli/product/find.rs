//! Which product a person means, and what products are called.

use std::collections::{BTreeSet, HashMap};

use futures_util::stream::{self, StreamExt as _};
use ordersys_contract::client::ProductFilter;
use ordersys_contract::product::Product;
use ordersys_contract::{Client, Code, ProductId, TestData};

use crate::cli::client_failure;
use crate::cli::listing::{Part, read};
use crate::cli::meant::{did_you_mean, has_part, is_part, similar};
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_report::Table;
use ordersys_stack::model::project::Project;

/// Products that are looked through for one that is nearly named.
const SEARCHED: u64 = 10_000;
/// Products whose names are looked up at most, and how many at a time.
const NAMED: usize = 200;
const AT_A_TIME: usize = 16;

/// The product with this name, in either case, or this id or a part of it. Two are not guessed between.
pub(in crate::cli) async fn find(client: &Client, project: &Project, text: &str) -> Outcome<Product> {
    if let Ok(id) = text.parse() {
        return client.product(id).await.map_err(|error| unknown_id(error, project, text));
    }
    let named = named(client, text).await?;
    let real: Vec<_> = named.iter().filter(|product| !product.test).collect();
    let same = if real.is_empty() { named.iter().collect() } else { real };
    match same.as_slice() {
        [product] => return Ok((*product).clone()),
        [] => {}
        several => return Err(ambiguous(several, &format!("are named \"{text}\""))),
    }
    let part = Part::page(1, Some(SEARCHED));
    let filter = ProductFilter { test: TestData::Include, limit: part.call_limit(), ..Default::default() };
    let all = read("products", part, client.products(&filter).await, async |next: &str| {
        client.more_products(next).await
    });
    let all = all.await?.items;
    let with_part: Vec<_> =
        all.iter().filter(|product| is_part(text) && has_part(&product.id, text)).collect();
    match with_part.as_slice() {
        [product] => Ok((*product).clone()),
        [] => Err(unknown(&all, project, text)),
        several => Err(ambiguous(several, &format!("have ids that begin or end with `{text}`"))),
    }
}

/// The id of such a product; an id that is written out is taken as it is.
pub(in crate::cli) async fn find_id(client: &Client, project: &Project, text: &str) -> Outcome<ProductId> {
    match text.parse() {
        Ok(id) => Ok(id),
        Err(_) => Ok(find(client, project, text).await?.id),
    }
}

/// The products of this name, in either case, test data too.
pub(super) async fn named(client: &Client, name: &str) -> Outcome<Vec<Product>> {
    let filter = ProductFilter { text: Some(name), test: TestData::Include, ..Default::default() };
    let first = client.products(&filter).await;
    let found =
        read("products", Part::ALL, first, async |next: &str| client.more_products(next).await).await?;
    let wanted = name.trim().to_lowercase();
    Ok(found.items.into_iter().filter(|product| product.name.to_lowercase() == wanted).collect())
}

/// What products are called, as far as that can be found out.
pub(in crate::cli) async fn names(
    client: &Client,
    ids: impl IntoIterator<Item = ProductId>,
) -> HashMap<ProductId, String> {
    let ids: BTreeSet<_> = ids.into_iter().take(NAMED).collect();
    let reads = ids.into_iter().map(|id| async move { client.product(id).await.ok() });
    let found = stream::iter(reads).buffer_unordered(AT_A_TIME).collect::<Vec<_>>().await;
    found.into_iter().flatten().map(|product| (product.id, product.name)).collect()
}

fn unknown_id(error: ordersys_contract::ClientError, project: &Project, text: &str) -> Failure {
    let is_unknown = error.problem().is_some_and(|problem| problem.code == Code::NotFound);
    let failure = client_failure(error);
    if !is_unknown {
        return failure;
    }
    let what = format!("there is no product with the id {text}");
    Failure::new(Exit::NotFound, what).hint(format!("`{}` shows all", project.command("product list --all")))
}

fn unknown(all: &[Product], project: &Project, text: &str) -> Failure {
    // Names of people's products before those of test data.
    let of = |test: bool| all.iter().filter(move |product| product.test == test).map(|p| p.name.as_str());
    let near = similar(text, of(false));
    let near = if near.is_empty() { similar(text, of(true)) } else { near };
    let all = project.command("product list");
    let hint = did_you_mean(&near).unwrap_or_else(|| format!("`{all}` shows all products"));
    Failure::new(Exit::NotFound, format!("there is no product named \"{text}\"")).hint(hint)
}

fn ambiguous(several: &[&Product], are: &str) -> Failure {
    let mut table = Table::new(["ID", "NAME", "PRICE", "STOCK", "CREATED"]).right(&[2, 3]).names(&[1]);
    for Product { id, name, price, currency, stock, created_at, .. } in several.iter().take(20) {
        table.row([
            id.to_string(),
            name.clone(),
            format!("{price} {currency}"),
            stock.to_string(),
            created_at.to_string(),
        ]);
    }
    let what = format!("{} products {are}", several.len());
    Failure::new(Exit::Usage, what).hint(format!("name one by its id:\n{table}"))
}
